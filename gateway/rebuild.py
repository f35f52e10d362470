"""Counters from what is recorded: for a server that came back empty or as another one, and for workers that died.

The gateway's side of it; `usage` knows what is stored and calls this, one process at a time. The order is what makes
it exact (docs/decisions/0008-counter-rebuild.md): first what is stored, then each worker's word of how far its
journal is and what is outstanding beyond, then the journals in between. All functions raise redis.RedisError.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from redis import Redis

from gateway import names
from gateway.journal_files import Line, boots, is_live, lines_after
from gateway.meters import Meter, counts

log = logging.getLogger(__name__)

ANSWER_S = 1.5  # how long a round waits for workers that live and do not answer
ASK_S = 0.02
ROUND_S = 600  # a round's answers are kept
KEEP_MS = 3_600_000  # a counter outlives its window; also in leases.lua
ATTEMPTS = 3
_FOLDER = Path(__file__).parent
_SEED = (_FOLDER / "rebuild_seed.lua").read_text()
_RECLAIM = (_FOLDER / "rebuild_reclaim.lua").read_text()


class Stored(Struct, frozen=True):
    """What the database holds, all as of one instant (one REPEATABLE READ transaction).

    units:     counter → units of the calls that its meter counts; absent: none
    committed: boot → every event up to this seq is in `units`
    ahead:     boot → ranges [first, last] beyond it that are in `units` too
    """

    units: dict[str, int]
    committed: dict[str, int]
    ahead: dict[str, tuple[tuple[int, int], ...]] = {}

    def holds(self, boot: str, seq: int) -> bool:
        """Whether an event is in `units`."""
        if seq <= self.committed.get(boot, 0):
            return True
        return any(first <= seq <= last for first, last in self.ahead.get(boot, ()))


class Joined(Struct, frozen=True):
    """A worker's answer to a round, as of one instant."""

    seq: int  # its journal's last line
    sent: int  # the last sequence number it used: older requests are void
    outstanding: dict[str, int]  # counter → units of calls, and free ones, that are not in the journal up to `seq`


class Holding(Struct, frozen=True):
    """What a worker has of one counter, as the server knows it. Journal lines up to `since` were spent before that."""

    owner: str
    counter: str
    epoch: int
    since: int
    granted: int
    settled: int
    returned: int


class _Moved(Exception):
    """The journals no longer hold what the snapshot lacks: it was stored and deleted meanwhile."""


# --- the server's run ---


def open_run(client: Redis) -> bool:
    """Make sure that the counters of this life of the server can be told from an earlier one's.

    Returns whether they had to be declared void: the server is new, empty or restarted. Organizations that had
    counters here are then listed as waiting.
    """
    run_id = str(client.info("server")["run_id"])
    known = client.hmget(names.RUN, ["run_id", "generation", "round"])
    if known[0] == run_id.encode() and known[1]:
        return False
    generation = max(_now_us(client), int(known[1] or 0) + 1, int(known[2] or 0) + 1)
    before = [names.organization_of(_text(key)) for key in client.scan_iter(match=names.epoch("*"), count=1000)]
    if before:
        client.sadd(names.REBUILD, *before)
    client.hset(names.RUN, mapping={"run_id": run_id, "generation": generation})
    return True


def waiting_organizations(client: Redis) -> list[str]:
    """Return the organizations whose hard claims are refused until they are rebuilt."""
    return _members(client, names.REBUILD)


def in_force(client: Redis, org: str) -> bool:
    """Whether an organization's counters are in force."""
    return int(client.get(names.epoch(org)) or 0) >= _generation(client)


def open_organization(client: Redis, org: str) -> None:
    """Put the counters of a brand-new organization in force, all zero.

    Only for one that has been created since the run was opened and cannot have made a call: else `rebuild_counters`.
    """
    number = max(_generation(client), _now_us(client))
    client.eval(_SEED, 1, names.epoch(org), number)
    client.srem(names.REBUILD, org)


# --- rebuild ---


def rebuild_counters(
    client: Redis,
    folder: Path,
    orgs: Sequence[str],
    *,
    meters: Sequence[Meter],
    snapshot: Callable[[], Stored],
    answer_s: float = ANSWER_S,
) -> None:
    """Set the counters of these organizations from what is recorded, and put them in force.

    counter = stored (`snapshot`) + in the journals and not stored + outstanding in live workers. `meters` are all
    quota counters of the organizations, `folder` is the journals'. A worker that lives but does not answer within
    `answer_s` is counted by its journal; it declares what it holds when it comes back. Right at any time, also for
    counters in force: those are void from the beginning, lest anybody is granted what nobody will count.
    """
    client.sadd(names.REBUILD, *orgs)
    for org in orgs:
        client.delete(names.epoch(org))
    for last in (False,) * (ATTEMPTS - 1) + (True,):
        before = boots(folder)
        stored = snapshot()
        number = _open_round(client, orgs)
        answers = _collect(client, folder, number, before, answer_s)
        try:
            found = _journalled(folder, before, stored, answers, meters, strict=not last)
        except _Moved:
            continue
        for org in orgs:
            _seed(client, org, number, [meter for meter in meters if meter.organization == org], stored, found, answers)
        client.srem(names.REBUILD, *orgs)
        return


def behind(client: Redis, meters: Iterable[Meter], units: dict[str, int]) -> list[str]:
    """Return the organizations that have a counter which knows of less than is stored: they are to be rebuilt.

    What is stored was spent, so a server that knows of less has silently lost acknowledged writes, or the limit is
    younger than its period. To raise the number alone would count twice what its worker tells again later.
    """
    found = set()
    for meter in meters:
        recorded = units.get(meter.counter, 0)
        life, used = client.hmget(meter.counter, ["epoch", "used"]) if recorded else (None, None)
        if recorded > (int(used or 0) if life == client.get(names.epoch(meter.organization)) else 0):
            found.add(meter.organization)
    return sorted(found)


# --- workers that died ---


def dead_owners(client: Redis, folder: Path) -> list[str]:
    """Return the workers that may hold units and no longer run."""
    return [owner for owner in _members(client, names.OWNERS) if not is_live(folder, owner)]


def holdings(client: Redis, owner: str) -> list[Holding]:
    """Return what a worker has of counters that are in force."""
    found = []
    for counter in _members(client, names.held_by(owner)):
        life, mine = client.hmget(counter, ["epoch", f"o:{owner}"])
        if life and mine and life == client.get(names.epoch(names.organization_of(counter))):
            granted, settled, returned, _, since = map(int, mine.split())
            found.append(Holding(owner, counter, int(life), since, granted, settled, returned))
    return found


def reclaim(client: Redis, holding: Holding, *, spent: int) -> bool:
    """Give back what a dead worker held of a counter beyond the `spent` units; return whether it still stood.

    To be called when its journal is stored to the last line; `spent` = its events after `holding.since` that the
    counter's meter counts. Of a meter "admitted" the calls in flight had spent theirs as well: give
    `granted - returned`, if nobody knows how many there were.
    """
    org = names.organization_of(holding.counter)
    return bool(client.eval(_RECLAIM, 2, names.epoch(org), holding.counter, holding.epoch, holding.owner, spent))


def forget_owner(client: Redis, owner: str) -> None:
    """Strike a dead worker off: all it held is reclaimed."""
    client.delete(names.held_by(owner))
    client.srem(names.OWNERS, owner)


# --- within ---


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _members(client: Redis, name: str) -> list[str]:
    return sorted(_text(member) for member in client.smembers(name))


def _now_us(client: Redis) -> int:
    """Microseconds for numbers that must grow, also over a server that is replaced by one whose clock is behind."""
    seconds, micros = client.time()
    return max(int(seconds) * 1_000_000 + int(micros), time.time_ns() // 1000)


def _generation(client: Redis) -> int:
    return int(client.hget(names.RUN, "generation") or 0)


def _expires(meter: Meter) -> int:
    return meter.end_ms + KEEP_MS if meter.end_ms else 0


def _open_round(client: Redis, orgs: Sequence[str]) -> int:
    number = max(_now_us(client), int(client.hget(names.RUN, "round") or 0) + 1, _generation(client))
    client.hset(names.round_of(number), "orgs", msgspec.json.encode(list(orgs)))
    client.expire(names.round_of(number), ROUND_S)
    client.hset(names.RUN, "round", number)
    return number


def _collect(client: Redis, folder: Path, number: int, known: Collection[str], answer_s: float) -> dict[str, Joined]:
    """Wait for the answers of all workers that live."""
    deadline_s = time.monotonic() + answer_s
    while True:
        said = client.hgetall(names.round_of(number))
        silent = [boot for boot in known if boot.encode() not in said and is_live(folder, boot)]
        if not silent or time.monotonic() > deadline_s:
            break
        time.sleep(ASK_S)
    if silent:
        log.warning("Counters are rebuilt without the word of %s.", ", ".join(silent))
    return {
        _text(owner): msgspec.json.decode(answer, type=Joined) for owner, answer in said.items() if owner != b"orgs"
    }


def _journalled(
    folder: Path,
    before: dict[str, list[int]],
    stored: Stored,
    answers: dict[str, Joined],
    meters: Sequence[Meter],
    *,
    strict: bool,
) -> dict[str, int]:
    """Add up, per counter, the events in the journals that are not stored. Raises _Moved."""
    units: dict[str, int] = {}
    by_subject: dict[str, list[Meter]] = {}
    for meter in meters:
        by_subject.setdefault(meter.subject, []).append(meter)
    for boot in {*before, *answers}:
        for line in _unstored(folder, boot, before.get(boot, []), stored, answers.get(boot), strict=strict):
            for subject in {line.subscription, line.key, line.organization}:
                for meter in by_subject.get(subject, []):
                    if counts(meter, line):
                        units[meter.counter] = units.get(meter.counter, 0) + line.count
    return units


def _unstored(
    folder: Path, boot: str, segments: list[int], stored: Stored, answer: Joined | None, *, strict: bool
) -> list[Line]:
    """Read one boot's events beyond what is stored, up to its answer or else to the end. Raises _Moved."""
    committed = stored.committed.get(boot, 0)
    try:
        lines = [line for line in lines_after(folder, boot, seq=committed) if answer is None or line.seq <= answer.seq]
    except FileNotFoundError:
        lines = []
    last = answer.seq if answer else lines[-1].seq if lines else committed
    gone = answer is None and not set(segments) <= set(boots(folder).get(boot, []))
    missing = max(0, last - committed) - len({line.seq for line in lines})
    if gone or missing:
        if strict:
            raise _Moved
        log.error("%d events of %s are neither stored nor in its journal.", missing, boot)
    return [line for line in lines if not stored.holds(boot, line.seq)]


def _seed(
    client: Redis,
    org: str,
    number: int,
    meters: Sequence[Meter],
    stored: Stored,
    journalled: dict[str, int],
    answers: dict[str, Joined],
) -> None:
    """Set one organization's counters; its workers are registered first, for they may die the moment after."""
    args: list[str | int] = [number]
    for meter in meters:
        holders = {owner: joined for owner, joined in answers.items() if meter.counter in joined.outstanding}
        recorded = stored.units.get(meter.counter, 0) + journalled.get(meter.counter, 0)
        args += [recorded, _expires(meter), len(holders)]
        for owner, joined in holders.items():
            client.sadd(names.OWNERS, owner)
            client.sadd(names.held_by(owner), meter.counter)
            args += [owner, joined.outstanding[meter.counter], joined.sent, joined.seq]
    keys = [names.epoch(org), *(meter.counter for meter in meters)]
    client.eval(_SEED, len(keys), *keys, *args)
