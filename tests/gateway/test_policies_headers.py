"""Headers through the gateway, both ways."""

import pytest

from gateway import policies, records
from gateway.admission import admit
from gateway.call import Left, LimitState, Refusal, Reply
from gateway.case import Case
from gateway.policies.request_headers import refuse_loop
from gateway.routing import Routes
from tests.gateway.playbook import LIVE_KEY, NOW_MS, SETTINGS, a_call, a_grant, an_api


def a_case(headers=(), *, base_url="http://up.example/base", secret=(), version=None, scopes=("*",), **call):
    call = a_call("GET", "/world/v1/countries", **call)
    call.headers.extend(headers)
    api = an_api(versions=(version,)) if version else an_api()
    grant, op = a_grant(scopes=scopes), Routes(api).find("GET", "/v1/countries")
    case = Case(call, SETTINGS, op=op, grant=grant)
    case.terms = admit(call, grant, op, SETTINGS)
    changes = {"base_url": base_url, "headers": tuple(secret)}
    case.terms.target = type(case.terms.target)(id="up", **changes)
    return case


def sent(case):
    return policies.on_request(case)


def received(case, *headers, status=200):
    case.reply = Reply(status, list(headers))
    return policies.on_reply(case)


# --- to the upstream ---

OURS = {
    "x-consumer-id": "org-id",
    "x-consumer-plan": "free",
    "x-forwarded-for": "192.0.2.7",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "api.example",
    "x-forwarded-prefix": "/world",
    "via": "1.1 tollgate-local",
}


def test_a_plain_request_carries_only_what_we_say():
    case = a_case(scheme="https", host="api.example")
    assert dict(sent(case)) == OURS | {"x-request-id": case.call.id}


@pytest.mark.parametrize(
    "name",
    [
        "x-consumer-id",
        "x_consumer_id",
        "x-consumer_plan",
        "x-consumer-anything",
        "x-tollgate-trace",
        "x_tollgate_x",
        "x-forwarded-for",
        "x_forwarded_for",
        "x-forwarded-user",
        "forwarded",
        "x-real-ip",
        "x_real_ip",
        "x-request-id",
        "x_request_id",
        "x-api-key",
        "x_api_key",
        "cookie",
        "proxy",
        "via",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "proxy-authorization",
        "proxy-connection",
        "expect",
        "host",
        "content-length",
        "http2-settings",
    ],
)
def test_reserved_and_hop_by_hop_names_never_reach_the_upstream(name):
    case = a_case([(name, "spoofed")])
    lines = sent(case)
    assert all("spoofed" not in value for key, value in lines if key != "via")
    assert [key for key, _ in lines].count("x-consumer-id") == 1


def test_connection_nominated_headers_go_but_cannot_take_ours_with_them():
    case = a_case(
        [("connection", "X-Plan, x-consumer-id"), ("x-plan", "gold"), ("connection", "x-other"), ("x-other", "1")]
    )
    names = dict(sent(case))
    assert "x-plan" not in names and "x-other" not in names
    assert names["x-consumer-id"] == "org-id"


def test_ordinary_headers_pass_in_order_and_with_duplicates():
    lines = [
        ("accept", "a"),
        ("traceparent", "00-1"),
        ("accept", "b"),
        ("x-trace_id", "1"),
        ("authorization", "Basic eA=="),
    ]
    assert sent(a_case(lines))[: len(lines)] == lines


@pytest.mark.parametrize(
    "value", [f"Bearer {LIVE_KEY}", f"bearer  {LIVE_KEY}", "Bearer tgm_anything", "Bearer tg_test_x"]
)
def test_no_key_or_token_of_ours_is_forwarded(value):
    assert all(name != "authorization" for name, _ in sent(a_case([("authorization", value)])))


def test_the_providers_credentials_replace_the_clients():
    case = a_case(
        [("authorization", "Basic mine"), ("x_secret", "mine")],
        secret=[("authorization", "Bearer up"), ("x-secret", "s")],
    )
    lines = sent(case)
    assert [value for name, value in lines if name == "authorization"] == ["Bearer up"]
    assert [(name, value) for name, value in lines if "secret" in name] == [("x-secret", "s")]


def test_other_proxies_stay_in_via():
    assert (
        dict(sent(a_case([("via", "1.0 fred"), ("via", "2 wilma")])))["via"] == "1.0 fred, 2 wilma, 1.1 tollgate-local"
    )


@pytest.mark.parametrize(
    ("via", "loops"),
    [
        ("1.1 tollgate-local", True),
        ("1.0 fred, 1.1 tollgate-local (comment)", True),
        ("1.1 tollgate-local-2", False),
        ("1.1 tollgate-other", False),
        ("tollgate-local", False),
        ("", False),
    ],
)
def test_our_own_via_is_a_loop(via, loops):
    case = a_case([("via", via)])
    if loops:
        with pytest.raises(Refusal) as refusal:
            refuse_loop(case)
        assert refusal.value.code == "loop_detected"
    else:
        refuse_loop(case)


# --- to the client ---


@pytest.mark.parametrize(
    "name",
    [
        "set-cookie",
        "content-security-policy",
        "content-security-policy-report-only",
        "strict-transport-security",
        "clear-site-data",
        "refresh",
        "service-worker-allowed",
        "alt-svc",
        "nel",
        "report-to",
        "connection",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
        "ratelimit",
        "ratelimit-policy",
        "x-ratelimit-limit",
        "x-request-id",
        "x-tollgate-trace",
        "x-consumer-id",
        "x-content-type-options",
    ],
)
def test_what_an_upstream_may_not_say_here(name):
    assert all("theirs" not in value for _, value in received(a_case(), (name, "theirs")))


def test_what_it_says_passes_in_order_and_we_add_ours():
    case = a_case()
    lines = received(
        case,
        ("content-type", "text/html"),
        ("link", "<1>"),
        ("link", "<2>"),
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("via", "1.0 cdn"),
    )
    assert lines == [
        ("content-type", "text/html"),
        ("link", "<1>"),
        ("link", "<2>"),
        ("content-security-policy", "sandbox"),
        ("x-content-type-options", "nosniff"),
        ("x-request-id", case.call.id),
        ("via", "1.0 cdn, 1.1 tollgate-local"),
    ]


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://up.example/base/v1/x?y=1#z", "https://api.example/world/v1/x?y=1#z"),
        ("http://up.example:80/base/v1/x", "https://api.example/world/v1/x"),
        ("HTTP://UP.example/base", "https://api.example/world"),
        ("//up.example/base/v1", "https://api.example/world/v1"),
        ("/base/v1/x", "/world/v1/x"),
        ("/elsewhere", "http://up.example/elsewhere"),
        ("/basement", "http://up.example/basement"),
        ("https://up.example/base/v1", "https://up.example/base/v1"),
        ("http://up.example:81/base/v1", "http://up.example:81/base/v1"),
        ("https://other.example/base", "https://other.example/base"),
        ("//other.example/x", "//other.example/x"),
        ("next?page=2", "next?page=2"),
        ("../up", "../up"),
        ("?page=2", "?page=2"),
        ("http://[broken", "http://[broken"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("", ""),
    ],
)
def test_locations_at_the_upstream_are_rewritten(location, told):
    lines = dict(received(a_case(), ("location", location), ("content-location", location), status=302))
    assert (lines["location"], lines["content-location"]) == (told, told)


# --- limits ---


def limited(*states, **call):
    case = a_case(**call)
    case.left = Left(states)
    return dict(received(case))


def test_limits_as_structured_fields_and_the_scarcest_in_the_old_words():
    lines = limited(
        LimitState("burst", 20, 19, reset_ms=100, window_ms=2000),
        LimitState("period", 1000, 7, reset_ms=3_600_500, window_ms=7_200_000),
        LimitState("ever", 100, 50, reset_ms=0, window_ms=0),
    )
    assert lines["ratelimit-policy"] == '"burst";q=20;w=2, "period";q=1000;w=7200, "ever";q=100'
    assert lines["ratelimit"] == '"burst";r=19;t=1, "period";r=7;t=3601, "ever";r=50'
    assert (lines["x-ratelimit-limit"], lines["x-ratelimit-remaining"]) == ("1000", "7")
    assert int(lines["x-ratelimit-reset"]) == (NOW_MS + 3_600_500 + 999) // 1000


def test_a_call_without_limits_says_nothing_of_them():
    assert not [name for name in limited() if "ratelimit" in name]


def test_names_of_limits_are_quoted():
    assert limited(LimitState('a"b\\c\u20ac', 1, 1, 0, 0))["ratelimit"] == '"a\\"b\\\\c";r=1'


# --- age ---


def test_deprecation_and_sunset():
    version = records.Version(
        "v",
        "v1",
        "/v1",
        records.Upstream("u", "http://u.example"),
        operations=an_api().versions[0].operations,
        state="deprecated",
        deprecated_at_ms=1_688_169_599_000,
        sunset_at_ms=1_719_791_999_000,
    )
    lines = dict(received(a_case(version=version), ("deprecation", "theirs"), ("sunset", "theirs")))
    assert lines["deprecation"] == "@1688169599"
    assert lines["sunset"] == "Sun, 30 Jun 2024 23:59:59 GMT"


def test_a_current_version_passes_the_upstreams_own_notice():
    assert dict(received(a_case(), ("sunset", "theirs")))["sunset"] == "theirs"


# --- the trace ---


def test_the_trace_tells_each_stage_to_keys_that_ask():
    case = a_case(scopes=("*", "trace"))
    case.left = Left((LimitState("period", 10, 9, 1, 1),))
    assert dict(received(case))["x-tollgate-trace"] == (
        'match;api="world";version="v1";operation="listCountries", authenticate;key="key-id";kind="live", '
        'admit;plan="free";plan_version=3, limit;name="period";limit=10;remaining=9;verdict="granted", '
        'forward;upstream="up", respond;status=200'
    )


def test_other_keys_see_no_trace():
    case = a_case()
    case.left = Left()
    assert "x-tollgate-trace" not in dict(received(case))
