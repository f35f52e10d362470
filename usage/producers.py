"""How far each gateway worker's journal is counted. Called inside the transaction that counts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db.models import Max, Min, Q

from gateway.public import Bye
from usage.lines import Entry
from usage.models import Producer
from usage.progress import Progress, ranges

JOURNALS_GONE = timedelta(hours=1)  # after its end, a journal that was counted has been deleted


@dataclass
class _Heard:
    """What one batch tells of one boot."""

    gateway: str = ""
    worker: str = ""
    taken: list[int] = field(default_factory=list)
    signs: list[tuple[int, datetime]] = field(default_factory=list)  # of life: seq and clock
    instants: list[int] = field(default_factory=list)  # ms, of events and clocks
    last: int = 0  # the last event it ever wrote, once that is known
    bye: bool = False
    dead: bool = False


def advance(entries: Iterable[Entry], *, at: datetime) -> None:
    """Move the producers of these lines forward; nothing ever moves one back.

    A line that was set aside counts as taken like a stored one: it is in a table, whatever becomes of it.
    """
    heard = _listen(entries)
    rows = Producer.objects.select_for_update().filter(boot_id__in=heard).order_by("boot_id")
    known = {row.boot_id: row for row in rows}
    for boot, news in sorted(heard.items()):
        row = known.get(boot) or Producer(boot_id=boot, started_at=at)
        _merge(row, news, at=at)
        row.save(force_insert=boot not in known)


def committed(*, at: datetime) -> dict[str, int]:
    """Give the committed seq of every boot whose journal may still stand somewhere."""
    wanted = Q(bye=False, dead=False) | Q(last_beat_at__gte=at - JOURNALS_GONE)
    return dict(Producer.objects.filter(wanted).values_list("boot_id", "committed_seq"))


def as_of() -> datetime | None:
    """The instant before which every call is counted.

    That is the earliest clock of the workers of which something may still come; when there are none, the
    latest clock of those that ended; None when no gateway has ever reported.
    """
    open_clock = Producer.objects.filter(closed=False).aggregate(clock=Min("committed_clock"))["clock"]
    return open_clock or Producer.objects.aggregate(clock=Max("committed_clock"))["clock"]


def _listen(entries: Iterable[Entry]) -> dict[str, _Heard]:
    heard: dict[str, _Heard] = {}
    for entry in entries:
        if not entry.boot:
            continue
        news = heard.setdefault(entry.boot, _Heard())
        if said := entry.event or entry.beat:
            news.gateway, news.worker = said.gateway, said.worker
        if entry.event:
            news.instants.append(entry.event.ts)
        if entry.beat:
            news.instants.append(entry.beat.clock)
            news.signs.append((entry.seq, _instant(entry.beat.clock)))
            news.bye |= isinstance(entry.beat, Bye)
        elif entry.dead:
            news.dead, news.last = True, max(news.last, entry.seq)
        elif entry.seq:
            news.taken.append(entry.seq)
    return heard


def _merge(row: Producer, news: _Heard, *, at: datetime) -> None:
    progress = Progress(row.committed_seq, tuple((first, last) for first, last in row.ahead))
    progress = progress.stored(ranges(news.taken))
    row.committed_seq, row.ahead = progress.committed, progress.ahead
    row.gateway, row.worker = news.gateway or row.gateway, news.worker or row.worker
    row.started_at = min([row.started_at, *map(_instant, news.instants)])
    row.last_beat_at = at
    row.bye, row.dead = row.bye or news.bye, row.dead or news.dead
    signs = [*news.signs, *([(row.heard_seq, row.heard_clock)] if row.heard_clock else [])]
    believed = [clock for seq, clock in signs if seq <= row.committed_seq]
    row.committed_clock = max([*believed, *filter(None, [row.committed_clock])], default=None)
    if signs:
        row.heard_seq, row.heard_clock = max(signs)
    row.heard_seq = max(row.heard_seq, news.last)
    row.closed = (row.bye or row.dead) and row.committed_seq >= row.heard_seq and not row.ahead


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
