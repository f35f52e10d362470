"""APIs, versions and servers: their lives, and what is refused on the way."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import Error, transaction

from accounts.models import AuditEvent
from kit.errors import ProblemError
from marketplace import public
from marketplace.models import Api, Operation, Upstream, Version
from tests.marketplace.contract.documents import GET_COUNTRY, document, operation, text
from tests.marketplace.shop import NOW, ROOT, open_shop

BY = {"actor": ROOT, "at": NOW}
SERVER = {"name": "live", "base_url": "https://world.example"} | BY


def refusal(attempt):
    """The code and the fields of a refusal."""
    with transaction.atomic(), pytest.raises(ProblemError) as caught:
        attempt()
    return caught.value.code, [error.field for error in caught.value.errors]


# --- APIs ---


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"slug": "World"}, ("invalid", ["slug"])),
        ({"slug": "a_b"}, ("invalid", ["slug"])),
        ({"slug": "api"}, ("invalid", ["slug"])),
        ({"slug": "-a"}, ("invalid", ["slug"])),
        ({"slug": "a" * 61}, ("invalid", ["slug"])),
        ({"slug": "world"}, ("conflict", [])),
        ({"name": " "}, ("invalid", ["name"])),
        ({"summary": "x" * 201}, ("invalid", ["summary"])),
        ({"description_md": "x" * 20_001}, ("invalid", ["description_md"])),
        ({"description_md": "a\x00"}, ("invalid", ["description_md"])),
        ({"visibility": "hidden"}, ("invalid", ["visibility"])),
    ],
)
def test_apis_that_cannot_be(shop, acme, more, expected):
    asked = {"slug": "sun", "name": "Sun"} | BY | more
    assert refusal(lambda: public.create_api(acme.org, **asked)) == expected


def test_a_change_is_said_with_before_and_after(shop):
    view = public.update_api(
        shop.provider, id=shop.api, texts={"name": "Earth", "category": "Data"}, featured=False, **BY
    )
    assert (view.name, view.slug, view.featured) == ("Earth", "world", False)
    event = AuditEvent.objects.get(action="api.changed")
    assert (event.before, event.after) == ({"name": "World", "featured": True}, {"name": "Earth", "featured": False})
    public.update_api(shop.provider, id=shop.api, texts={"name": "Earth"}, **BY)
    assert AuditEvent.objects.filter(action="api.changed").count() == 1
    assert refusal(lambda: public.update_api(shop.provider, id=shop.api, texts={"slug": "x"}, **BY)) == (
        "invalid",
        ["slug"],
    )


def test_an_api_needs_something_that_answers(acme):
    api = public.create_api(acme.org, slug="sun", name="Sun", **BY)
    assert refusal(lambda: public.publish_api(acme.org, id=api.id, **BY)) == ("conflict", [])
    assert refusal(lambda: public.suspend_api(acme.org, id=api.id, **BY)) == ("conflict", [])
    assert refusal(lambda: public.retire_api(acme.org, id=api.id, **BY)) == ("conflict", [])


def test_the_life_of_an_api(shop):
    states = [public.suspend_api, public.suspend_api, public.publish_api, public.retire_api, public.retire_api]
    lived = [verb(shop.provider, id=shop.api, **BY).state for verb in states]
    assert lived == ["suspended", "suspended", "published", "retired", "retired"]
    assert refusal(lambda: public.publish_api(shop.provider, id=shop.api, **BY)) == ("conflict", [])
    assert refusal(lambda: public.suspend_api(shop.provider, id=shop.api, **BY)) == ("conflict", [])
    assert AuditEvent.objects.filter(action="api.suspended").count() == 1


def test_only_its_provider_changes_an_api(shop, evil):
    upstream = Upstream.objects.get()
    attempts = [
        lambda: public.update_api(evil.org, id=shop.api, **BY),
        lambda: public.suspend_api(evil.org, id=shop.api, **BY),
        lambda: public.add_version(evil.org, api_id=shop.api, name="v2", document=text(document()), **BY),
        lambda: public.set_upstream(evil.org, api_id=shop.api, **SERVER),
        lambda: public.retire_version(evil.org, version_id=shop.version, **BY),
        lambda: public.set_route(evil.org, version_id=shop.version, environment="live", upstream_id=upstream.id, **BY),
    ]
    assert [refusal(attempt) for attempt in attempts] == [("not_found", [])] * len(attempts)


# --- versions ---


def test_names_and_base_paths_are_taken_once(shop):
    asked = {"api_id": shop.api, "document": text(document())} | BY
    assert refusal(lambda: public.add_version(shop.provider, name="v1", base_path="/v9", **asked)) == ("conflict", [])
    assert refusal(lambda: public.add_version(shop.provider, name="v9", base_path="/v1", **asked)) == ("conflict", [])
    public.retire_version(shop.provider, version_id=shop.version, **BY)
    assert public.add_version(shop.provider, name="v2", base_path="/v1", **asked).base_path == "/v1"


def test_a_bad_document_says_where(shop):
    with pytest.raises(ProblemError) as caught:
        public.add_version(shop.provider, api_id=shop.api, name="v2", document="openapi: 3.1.0\npaths: {}", **BY)
    assert [error.field for error in caught.value.errors] == ["document"]
    assert caught.value.errors[0].message.startswith("line 1")


def test_a_new_document_keeps_what_keeps_its_name(shop):
    kept = Operation.objects.get()
    renamed = {**GET_COUNTRY, "summary": "Changed"}
    paths = {"/countries/{code}": {"get": renamed}, "/more": {"get": operation(operationId="more")}}
    public.replace_document(shop.provider, version_id=shop.version, document=text(document(paths)), **BY)
    assert {row.operation_id: row.id == kept.id for row in Operation.objects.all()} == {
        "getCountry": True,
        "more": False,
    }
    assert Operation.objects.get(id=kept.id).summary == "Changed"


def test_deprecation_has_a_date_in_the_future(shop):
    with_sunset = public.deprecate_version(shop.provider, version_id=shop.version, sunset_at=NOW + timedelta(90), **BY)
    assert (with_sunset.state, with_sunset.deprecated_at) == ("deprecated", NOW)
    for wrong in (NOW, datetime(2030, 1, 1)):
        asked = {"version_id": shop.version, "sunset_at": wrong} | BY
        assert refusal(lambda asked=asked: public.deprecate_version(shop.provider, **asked)) == (
            "invalid",
            ["sunset_at"],
        )
    public.retire_version(shop.provider, version_id=shop.version, **BY)
    asked = {"version_id": shop.version, "sunset_at": None} | BY
    assert refusal(lambda: public.deprecate_version(shop.provider, **asked)) == ("conflict", [])


def test_an_operation_is_found_in_the_newest_version_that_has_it(shop):
    public.add_version(shop.provider, api_id=shop.api, name="v2", base_path="/v2", document=text(document()), **BY)
    assert public.operation("world", "getCountry").full_path == "/world/v2/countries/{code}"
    old = public.operation("world", "getCountry", version="v1")
    assert (old.full_path, old.example.target) == ("/world/v1/countries/{code}", "/world/v1/countries/DE?lang=en")
    assert [parameter.example for parameter in old.parameters] == ["DE", "en", ""]
    with pytest.raises(ProblemError, match="not_found"):
        public.operation("world", "nothing")
    assert len(public.operations(shop.api)) == 2


# --- servers and routes ---


@pytest.mark.parametrize(
    "url",
    [
        "ftp://world.example", "world.example", "//world.example", "https://", "https://user:pw@world.example",
        "https://world.example?x=1", "https://world.example/#a", "https://world.example/../x", "https://wörld.example",
        "https://a b.example", "https://world.example:0", "https://world.example:99999", "http://127.0.0.1:80",
        "http://10.0.0.1", "http://[::1]/", "http://169.254.169.254/latest", "http://localhost:1", "http://x.localhost",
        "https://" + "a" * 500 + ".example", "https:\\\\world.example", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(shop, url):
    assert refusal(lambda: public.set_upstream(shop.provider, api_id=shop.api, **SERVER | {"base_url": url})) == (
        "invalid", ["base_url"],
    )  # fmt: skip


def test_a_private_address_may_be_allowed_by_the_operator(shop, settings):
    settings.GATEWAY = replace(settings.GATEWAY, upstream_allow=frozenset({"127.0.0.1:9001"}))
    asked = SERVER | {"base_url": "http://127.0.0.1:9001/base/"}
    public.set_upstream(shop.provider, api_id=shop.api, **asked)
    assert Upstream.objects.get().base_url == "http://127.0.0.1:9001/base"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"name": ""}, "name"),
        ({"headers": [("Host", "x")]}, "headers.0"),
        ({"headers": [("X-Forwarded-For", "x")]}, "headers.0"),
        ({"headers": [("X A", "x")]}, "headers.0"),
        ({"headers": [("X-A", "x\r\nY: z")]}, "headers.0"),
        ({"headers": [("X-A", "")]}, "headers.0"),
        ({"headers": [("X-A", "x")] * 21}, "headers"),
        ({"connect_s": 0}, "connect_s"),
        ({"first_byte_s": 601}, "first_byte_s"),
        ({"between_bytes_s": float("nan")}, "between_bytes_s"),
    ],
)
def test_servers_that_cannot_be(shop, more, field):
    assert refusal(lambda: public.set_upstream(shop.provider, api_id=shop.api, **SERVER | more)) == ("invalid", [field])


def test_headers_stay_until_they_are_replaced(shop):
    for headers, kept in ([("X-A", "x")], True), (None, True), ([], False):
        public.set_upstream(shop.provider, api_id=shop.api, headers=headers, **SERVER)
        assert bool(Upstream.objects.get().secret_headers) == kept


def test_a_route_leads_to_a_server_of_its_own_api(shop):
    other = open_shop("moon")
    foreign = Upstream.objects.get(api=other.api)
    asked = {"version_id": shop.version, "environment": "live", "upstream_id": foreign.id} | BY
    assert refusal(lambda: public.set_route(shop.provider, **asked)) == ("invalid", ["upstream"])
    assert refusal(lambda: public.set_route(shop.provider, **asked | {"environment": "prod"})) == (
        "invalid",
        ["environment"],
    )
    view = public.set_route(shop.provider, version_id=shop.version, environment="test", upstream_id=None, **BY)
    assert (view.live, view.sandbox) == (True, False)


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Api, {"state": "gone"}),
        (Api, {"slug": "A B"}),
        (Version, {"base_path": "v1"}),
        (Version, {"state": "old"}),
        (Operation, {"method": "get"}),
        (Operation, {"path": "x"}),
        (Upstream, {"base_url": "ftp://x"}),
        (Upstream, {"connect_s": 0}),
    ],
)
def test_the_database_holds_the_closed_sets(shop, model, change):
    with transaction.atomic(), pytest.raises(Error):
        model.objects.update(**change)
