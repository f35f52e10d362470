"""Targets that pass or are refused, and which operation a path means."""

import pytest

from gateway import records
from gateway.call import Refusal
from gateway.routing import Routes, forwarded, normal, slug_of
from tests.gateway.playbook import a_call, an_api

PASSES = [
    "/world",
    "/world/",
    "/world/v1/countries",
    "/world/v1/countries/",
    "/world/v1//countries",
    "/world/v1/a.b/.../..c/c..",
    "/world/v1/.hidden",
    "/world/v1/a;b=c;d",
    "/world/v1/a%20b",
    "/world/v1/%41",
    "/world/v1/caf%C3%A9",
    "/world/v1/%ff",
    "/world/v1/100%25",
    "/world/v1/%2541",
    "/world/v1/a:b@c!$&'()*+,=~_-",
    '/world/v1/{a}|^`<>"',
    "/world/v1/a%3Fb%23c",
    "/",
]
REFUSED = [
    "",
    "*",
    "world/v1",
    "http://other.example/v1",
    "//world/v1",
    "//",
    "/world//v1",
    "/world//",
    "/world/v1/../admin",
    "/world/v1/..",
    "/world/./v1",
    "/world/v1/.",
    "/world/v1/%2e%2e/admin",
    "/world/v1/%2E./admin",
    "/world/v1/.%2e",
    "/world/v1/%252e%252e/admin",
    "/world/v1/..;/admin",
    "/world/v1/..;a=b/admin",
    "/world/v1/%2e%2e;x/admin",
    "/world/v1/a%2Fb",
    "/world/v1/a%2fb",
    "/world/v1/a%252Fb",
    "/world/v1/a%5Cb",
    "/world/v1/a\\b",
    "/world/v1/a%zz",
    "/world/v1/a%2",
    "/world/v1/a%",
    "/world/v1/a%00b",
    "/world/v1/a%0d%0aX:y",
    "/world/v1/a%7f",
    "/world/v1/a b",
    "/world/v1/a\tb",
    "/world/v1/a\x00b",
    "/world/v1/caf\xe9",
    "/world/v1/a#b",
]


@pytest.mark.parametrize("path", PASSES)
def test_what_can_be_read_in_one_way_passes_unchanged(path):
    call = a_call(path=path)
    normal(call)
    assert call.path == path


@pytest.mark.parametrize("path", REFUSED)
def test_what_two_servers_could_read_differently_is_refused(path):
    with pytest.raises(Refusal) as refusal:
        normal(a_call(path=path))
    assert refusal.value.code == "bad_target"


@pytest.mark.parametrize("query", ["a=\r\n", "a=\xe9", "a=b#c", "a b"])
def test_queries_are_looked_at_too(query):
    with pytest.raises(Refusal):
        normal(a_call(query=query))


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "GE T", "", "G\xc9T", "X" * 33])
def test_methods_that_are_not_proxied(method):
    with pytest.raises(Refusal) as refusal:
        normal(a_call(method))
    assert refusal.value.code == "method_not_allowed"


# --- the table ---

TEMPLATES = [
    ("GET", "/"),
    ("GET", "/a/b/d"),
    ("GET", "/a/{x}/c"),
    ("POST", "/a/{x}"),
    ("GET", "/a/literal"),
    ("GET", "/a/{x}/{y}"),
    ("GET", "/files/{name}.json"),
    ("GET", "/files/{name}"),
    ("GET", "/tiles/{z}-{x}-{y}@2x"),
    ("GET", "/files/sub/{rest*}"),
    ("*", "/any"),
    ("GET", "/caf%C3%A9"),
    ("PURGE", "/cache"),
]
LOOK_UPS = [
    ("GET", "/", "GET /"),
    ("GET", "/a/b/d", "GET /a/b/d"),
    ("GET", "/a/b/c", "GET /a/{x}/c"),  # back from the dead end below /a/b
    ("GET", "/a/b/e", "GET /a/{x}/{y}"),
    ("GET", "/a/literal", "GET /a/literal"),
    ("POST", "/a/literal", "POST /a/{x}"),  # the literal path has no POST, the template has
    ("GET", "/a/x", "method_not_allowed OPTIONS, POST"),
    ("GET", "/a/", "operation_unknown"),  # a parameter is never empty
    ("GET", "/a/b/", "operation_unknown"),
    ("GET", "/a//c", "operation_unknown"),
    ("GET", "/a/%62/d", "GET /a/b/d"),  # segments are compared decoded
    ("GET", "/A/b/d", "operation_unknown"),
    ("GET", "/files/x.json", "GET /files/{name}.json"),
    ("GET", "/files/.json", "GET /files/{name}"),
    ("GET", "/files/x.xml", "GET /files/{name}"),
    ("GET", "/files/sub", "GET /files/{name}"),
    ("GET", "/files/sub/", "GET /files/sub/{rest*}"),
    ("GET", "/files/sub/a/b", "GET /files/sub/{rest*}"),
    ("GET", "/tiles/1-22-3@2x", "GET /tiles/{z}-{x}-{y}@2x"),
    ("GET", "/tiles/1-2@2x", "operation_unknown"),
    ("GET", "/tiles/1--3@2x", "operation_unknown"),
    ("HEAD", "/a/b/d", "GET /a/b/d"),
    ("OPTIONS", "/a/x", "POST /a/{x}"),
    ("OPTIONS", "/nowhere", "operation_unknown"),
    ("HEAD", "/a/x", "method_not_allowed OPTIONS, POST"),
    ("DELETE", "/any", "* /any"),
    ("OPTIONS", "/any", "* /any"),
    ("PURGE", "/cache", "PURGE /cache"),
    ("GET", "/caf%c3%a9", "GET /caf%C3%A9"),
    ("PUT", "/a/b/d", "method_not_allowed GET, HEAD, OPTIONS"),
]


def table(**changes):
    operations = tuple(
        records.Operation(f"op-{n}", f"{method} {path}", method, path) for n, (method, path) in enumerate(TEMPLATES)
    )
    upstream = records.Upstream("up", "http://u.example")
    versions = (
        records.Version(
            "root", "root", "", upstream, operations=(records.Operation("r", "at the root", "GET", "/v1x"),)
        ),
        records.Version("v1", "v1", "/v1", upstream, operations=operations),
    )
    return Routes(an_api(versions=versions, **changes))


@pytest.mark.parametrize(("method", "path", "wanted"), LOOK_UPS)
def test_which_operation_a_path_means(method, path, wanted):
    op = table().find(method, f"/v1{path}")
    assert (op.name or f"{op.refusal} {op.allow}".strip()) == wanted
    assert op.version.name == "v1"


def test_versions_are_found_by_base_path_the_longest_first():
    assert table().find("GET", "/v1x").name == "at the root"
    assert table().find("GET", "/v1/").version.name == "v1"
    assert table().find("GET", "/v1").refusal == "operation_unknown"
    only_v1 = Routes(an_api())
    op = only_v1.find("GET", "/v2/countries")
    assert (op.version, op.refusal) == (None, "operation_unknown")


def test_pass_undeclared():
    op = table(pass_undeclared=True).find("DELETE", "/v1/nowhere")
    assert (op.name, op.refusal, op.version.name) == ("", "", "v1")
    assert table(pass_undeclared=True).find("GET", "/v1/a/b/d").name == "GET /a/b/d"


def test_the_trie_visits_each_place_once_however_ambiguous():
    """Parameters beside literals at each of 18 levels: a walk by paths, not by places, would take 2^18 steps."""
    operations = tuple(
        records.Operation(
            f"op{n}", f"op{n}", "GET", "/" + "/".join(["a" if n & 1 << bit else "{x}" for bit in range(18)])
        )
        for n in range(0, 1 << 18, 4099)
    )
    version = records.Version("v", "v", "", records.Upstream("up", "http://u.example"), operations=operations)
    routes = Routes(an_api(versions=(version,)))
    assert routes.find("GET", "/a" * 17 + "/b").name
    assert routes.find("GET", "/a" * 17 + "/").refusal == "operation_unknown"


def test_the_bare_name_of_an_api_is_its_root():
    version = records.Version(
        "v",
        "v",
        "",
        records.Upstream("up", "http://u.example"),
        operations=(records.Operation("all", "all", "*", "/{rest*}"),),
    )
    routes = Routes(an_api(versions=(version,)))
    assert [routes.find("GET", path).name for path in ("", "/", "/a", "/a//b/")] == ["all"] * 4


@pytest.mark.parametrize(
    ("path", "slug", "sent"),
    [
        ("/world/v1/a%20b", "world", "/v1/a%20b"),
        ("/world/", "world", "/"),
        ("/world", "world", "/"),
        ("/world/v1//x/", "world", "/v1//x/"),
    ],
)
def test_only_the_prefix_of_the_api_changes(path, slug, sent):
    assert (slug_of(path), forwarded(path)) == (slug, sent)
