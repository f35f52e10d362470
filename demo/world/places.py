"""Countries and currencies, from CLDR."""

from dataclasses import dataclass
from functools import cache

from babel import Locale
from babel.core import get_global
from babel.numbers import get_territory_currencies

from demo.world.regions import REGION_OF

ENGLISH = Locale("en")
OFFICIAL = {"official", "de_facto_official", "official_regional"}


@dataclass(frozen=True)
class Language:
    code: str
    name: str
    official: bool
    population_percent: float


@dataclass(frozen=True)
class Country:
    code: str  # ISO 3166-1 alpha-2
    name: str
    region: str
    currencies: tuple[str, ...]  # legal tender today
    languages: tuple[Language, ...]  # most spoken first
    timezones: tuple[str, ...]


@dataclass(frozen=True)
class Currency:
    code: str  # ISO 4217
    name: str
    symbol: str
    digits: int  # of its minor unit
    countries: tuple[str, ...]  # where it is legal tender today


@cache
def countries() -> dict[str, Country]:
    """All countries with an ISO code, by code, sorted."""
    return {code: _country(code) for code in sorted(REGION_OF)}


@cache
def currencies() -> dict[str, Currency]:
    """The currencies that some country uses today, by code, sorted."""
    users: dict[str, list[str]] = {}
    for country in countries().values():
        for code in country.currencies:
            users.setdefault(code, []).append(country.code)
    return {code: _currency(code, tuple(users[code])) for code in sorted(users)}


def _country(code: str) -> Country:
    spoken = get_global("territory_languages").get(code, {})
    languages = (
        Language(
            code=language,
            name=ENGLISH.languages[language],
            official=about["official_status"] in OFFICIAL,
            population_percent=about["population_percent"],
        )
        for language, about in spoken.items()
        if language in ENGLISH.languages  # the smallest have no English name in CLDR
    )
    return Country(
        code=code,
        name=ENGLISH.territories[code],
        region=REGION_OF[code],
        currencies=tuple(get_territory_currencies(code)),
        languages=tuple(sorted(languages, key=lambda language: -language.population_percent)),
        timezones=tuple(sorted(get_global("territory_zones").get(code, ()))),
    )


def _currency(code: str, users: tuple[str, ...]) -> Currency:
    fractions = get_global("currency_fractions")
    return Currency(
        code=code,
        name=ENGLISH.currencies[code],
        symbol=ENGLISH.currency_symbols.get(code, code),
        digits=fractions.get(code, fractions["DEFAULT"])[0],
        countries=users,
    )
