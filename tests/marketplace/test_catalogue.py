"""The catalogue: what is found, in which order, by whom."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kit.errors import ProblemError
from marketplace import public
from tests.marketplace.shop import NOW, ROOT, open_shop, subscribed

BY = {"actor": ROOT, "at": NOW}


@pytest.fixture
def three(shop):
    moon, weather = open_shop("moon", featured=False), open_shop("weather", featured=False)
    texts = {"summary": "Forecasts for every city", "category": "Climate", "description_md": "Rain, snow and the moon."}
    public.update_api(weather.provider, id=weather.api, texts=texts, **BY)
    return shop, moon, weather


def slugs(**asked):
    return [api.slug for api in public.catalogue(**asked)]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("", ["world", "moon", "weather"]),  # featured first
        ("forecast", ["weather"]),
        ("city forecasts", ["weather"]),
        ("moon", ["moon", "weather"]),  # the name weighs more than the description
        ("wether", ["weather"]),  # a typing error
        ("wea", ["weather"]),  # half a word
        ("nothing at all", []),
        ("  ", ["world", "moon", "weather"]),
        ("\x00", ["world", "moon", "weather"]),
    ],
)
def test_what_is_found(three, q, found):
    assert slugs(q=q) == found


def test_categories(three):
    assert public.categories() == [("Climate", 1), ("Data", 2)]
    assert slugs(category="climate") == ["weather"]
    assert slugs(q="moon", category="Data") == ["moon"]
    assert (slugs(start=1, count=1), public.catalogue_size(q="moon")) == (["moon"], 2)


def test_what_is_not_for_everybody(three, acme):
    shop, moon, weather = three
    subscribed(shop, acme)
    public.update_api(shop.provider, id=shop.api, texts={"visibility": "private"}, **BY)
    public.suspend_api(moon.provider, id=moon.api, **BY)
    assert slugs() == ["weather"]
    assert public.api("world", viewer=acme.org).name == "World"
    assert public.api("moon", viewer=moon.provider).state == "suspended"
    for slug, viewer in (("world", None), ("world", weather.provider), ("moon", acme.org), ("", None)):
        with pytest.raises(ProblemError, match="not_found"):
            public.api(slug, viewer=viewer)


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(q=st.one_of(st.text(max_size=40), st.text("&|!:*'\"()<>-\\% moon", max_size=30)))
def test_any_words_can_be_looked_for(db, q):
    assert public.catalogue(q=q, category=q) == []
