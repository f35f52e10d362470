"""What World answers, by operation. Each takes the request's parameters and returns data, or raises Problem."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, TypeVar

from demo.world import clocks, places, units
from demo.world.regions import REGIONS

T = TypeVar("T")
PAGE = 50
LARGEST_PAGE = 250


class Problem(Exception):
    """An answer that says what was wrong with the request (RFC 9457)."""

    def __init__(self, status: int, detail: str, *, parameter: str = "", allow: str = "") -> None:
        super().__init__(detail)
        self.status, self.detail, self.parameter, self.allow = status, detail, parameter, allow

    def body(self) -> dict[str, Any]:
        title = HTTPStatus(self.status).phrase
        body = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}
        return body | ({"parameter": self.parameter} if self.parameter else {})

    def headers(self) -> list[tuple[str, str]]:
        return [("Allow", self.allow)] if self.allow else []


@dataclass
class Parameters:
    """The request's parameters; `done()` refuses those nobody asked for."""

    path: dict[str, str]
    query: dict[str, str]
    asked: set[str] = field(default_factory=set)

    def get(self, name: str, default: str = "") -> str:
        self.asked.add(name)
        return self.query.get(name, default)

    def require(self, name: str) -> str:
        if not (value := self.get(name)):
            raise Problem(400, "This parameter is required.", parameter=name)
        return value

    def one_of(self, name: str, known: Any) -> str:
        """A value out of `known`, or "". Raises Problem 400."""
        value = self.get(name)
        if value and value not in known:
            raise Problem(400, f"{value!r} is not known.", parameter=name)
        return value

    def number(self, name: str, *, default: int, largest: int) -> int:
        text = self.get(name, str(default))
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= largest):
            raise Problem(400, f"This must be a whole number from 1 to {largest}.", parameter=name)
        return int(text)

    def done(self) -> None:
        for name in self.query:
            if name not in self.asked:
                raise Problem(400, "There is no such parameter.", parameter=name)


def list_countries(given: Parameters) -> dict[str, Any]:
    region, currency = given.one_of("region", REGIONS), given.one_of("currency", places.currencies())
    found = [
        {"code": country.code, "name": country.name, "region": country.region}
        for country in places.countries().values()
        if region in ("", country.region) and (not currency or currency in country.currencies)
    ]
    return _page(given, found, key="code")


def get_country(given: Parameters) -> places.Country:
    given.done()
    return _known(places.countries(), given.path["code"].upper(), "country")


def list_currencies(given: Parameters) -> dict[str, Any]:
    found = [
        {"code": currency.code, "name": currency.name, "symbol": currency.symbol}
        for currency in places.currencies().values()
    ]
    return _page(given, found, key="code")


def get_currency(given: Parameters) -> places.Currency:
    given.done()
    return _known(places.currencies(), given.path["code"].upper(), "currency")


def list_timezones(given: Parameters) -> dict[str, Any]:
    country = given.one_of("country", places.countries())
    found = [
        {"name": name, "country": clocks.country_of(name)}
        for name in clocks.names()
        if country in ("", clocks.country_of(name))
    ]
    return _page(given, found, key="name")


def get_timezone(given: Parameters) -> clocks.Timezone:
    name = "/".join(given.path[part] for part in ("area", "region", "city") if part in given.path)
    at = _instant(given, "at", zone="UTC") if given.get("at") else datetime.now(UTC).replace(microsecond=0)
    given.done()
    if name not in clocks.names():
        raise Problem(404, f"There is no time zone {name}.")
    return clocks.timezone(name, at)


def convert_time(given: Parameters) -> dict[str, Any]:
    source, target = (_zone(given, name) for name in ("from", "to"))
    at = _instant(given, "at", zone=source)
    given.done()
    return {"from": asdict(clocks.timezone(source, at)), "to": asdict(clocks.timezone(target, at))}


def convert_units(given: Parameters) -> dict[str, Any]:
    source, target = (_unit(given, name) for name in ("from", "to"))
    value = _decimal(given, "value")
    given.done()
    try:
        result = units.convert(value, source, target)
    except ValueError as error:
        raise Problem(400, f"{error}.".capitalize(), parameter="to") from None
    return {"value": f"{value:f}", "from": source, "to": target, "result": f"{result:f}"}


def _page(given: Parameters, found: list[dict[str, Any]], *, key: str) -> dict[str, Any]:
    """The rows after the key `after`, at most `limit`; `next` is the key to go on after, or null."""
    limit, after = given.number("limit", default=PAGE, largest=LARGEST_PAGE), given.get("after")
    given.done()
    rest = [row for row in found if row[key] > after]
    more = len(rest) > limit
    return {"items": rest[:limit], "total": len(found), "next": rest[limit - 1][key] if more else None}


def _known(table: dict[str, T], code: str, kind: str) -> T:
    if code not in table:
        raise Problem(404, f"There is no {kind} {code}.")
    return table[code]


def _zone(given: Parameters, name: str) -> str:
    zone = given.require(name)
    if zone not in clocks.names():
        raise Problem(400, f"There is no time zone {zone}.", parameter=name)
    return zone


def _unit(given: Parameters, name: str) -> str:
    unit = given.require(name)
    if unit not in units.QUANTITY_OF:
        raise Problem(400, f"{unit!r} is not one of {', '.join(units.QUANTITY_OF)}.", parameter=name)
    return unit


def _instant(given: Parameters, name: str, *, zone: str) -> datetime:
    try:
        return clocks.read_instant(given.require(name), zone)
    except (ValueError, OverflowError) as error:
        raise Problem(400, f"This is not an ISO 8601 instant from 1970 to 2100: {error}.", parameter=name) from None


def _decimal(given: Parameters, name: str) -> Decimal:
    text = given.require(name)
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise Problem(400, "This must be a decimal number.", parameter=name) from None
    if not value.is_finite() or len(text) > 20 or abs(value.adjusted()) > 15:
        raise Problem(400, "This must be a decimal number of at most 15 digits.", parameter=name)
    return value
