"""Time zones and the times in them, from the IANA database. The instant is always passed in."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global

LOOK_AHEAD = timedelta(days=400)
STEP = timedelta(days=7)  # no zone changes its clocks twice within a week


@dataclass(frozen=True)
class Transition:
    at: str  # UTC
    offset: str  # from then on


@dataclass(frozen=True)
class Timezone:
    name: str
    country: str | None
    at: str  # local time
    offset: str  # from UTC: "+01:00"
    offset_seconds: int
    abbreviation: str
    daylight_saving: bool
    next_transition: Transition | None


@cache
def names() -> tuple[str, ...]:
    """The canonical zones: those CLDR places in a country, and UTC."""
    placed = set(get_global("zone_territories")) & available_timezones()
    return tuple(sorted({name for name in placed if "/" in name and not name.startswith("Etc/")} | {"UTC"}))


def timezone(name: str, at: datetime) -> Timezone:
    """The zone as it stands at an aware instant. Raises KeyError for an unknown name."""
    if name not in names():
        raise KeyError(name)
    zone = ZoneInfo(name)
    local = at.astimezone(zone)
    return Timezone(
        name=name,
        country=country_of(name),
        at=local.isoformat(),
        offset=offset_text(local),
        offset_seconds=_seconds(local),
        abbreviation=local.tzname() or "",
        daylight_saving=bool(local.dst()),
        next_transition=_next_transition(zone, at),
    )


def country_of(name: str) -> str | None:
    code = get_global("zone_territories").get(name)
    return code if code and code.isalpha() else None  # 001 is "the world"


def offset_text(local: datetime) -> str:
    """The offset as RFC 3339 writes it: "+05:30"."""
    sign, minutes = ("-" if _seconds(local) < 0 else "+"), abs(_seconds(local)) // 60
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"


def read_instant(text: str, zone: str) -> datetime:
    """Read ISO 8601; without an offset it is local time in `zone`. Raises ValueError, OverflowError."""
    at = datetime.fromisoformat(text)
    aware = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))
    if not 1970 <= aware.year <= 2100:
        raise ValueError("the year is not between 1970 and 2100")
    return aware.astimezone(UTC)


def _seconds(local: datetime) -> int:
    return int((local.utcoffset() or timedelta()).total_seconds())


def _next_transition(zone: ZoneInfo, at: datetime) -> Transition | None:
    """Walk ahead by weeks, then halve the week in which the offset changes down to the second."""

    def offset(instant: datetime) -> timedelta | None:
        return instant.astimezone(zone).utcoffset()

    before = at.astimezone(UTC).replace(microsecond=0)
    end = before + LOOK_AHEAD
    while before < end and offset(before + STEP) == offset(before):
        before += STEP
    if before >= end:
        return None
    after = before + STEP
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        before, after = (middle, after) if offset(middle) == offset(before) else (before, middle)
    return Transition(at=after.isoformat().replace("+00:00", "Z"), offset=offset_text(after.astimezone(zone)))
