"""Who may call what, and which claims a call makes."""

import json

import pytest

from gateway import admission, records
from gateway.admission import address_in, admit, claims
from gateway.call import Refusal
from gateway.routing import Routes
from kit.secrets import NotOpened, encrypt
from tests.gateway.playbook import HOUR_MS, NOW_MS, SETTINGS, a_call, a_grant, an_api


def op(method="GET", path="/v1/countries", **changes):
    return Routes(an_api(**changes)).find(method, path)


def refusal_of(grant, call=None, at=None):
    call = call or a_call()
    try:
        admit(call, grant, at or op(call.method), SETTINGS)
    except Refusal as refusal:
        return refusal.code
    return ""


# --- scopes ---


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        (("*",), True, True),
        (("world:*",), True, True),
        (("world:read",), True, False),
        (("world:write",), False, True),
        (("world:read", "world:write"), True, True),
        (("world:listCountries",), True, False),
        (("world:addCountry",), False, True),
        (("moon:*", "world:get"), False, False),
        (("trace",), False, False),
        ((), False, False),
    ],
)
def test_scopes(scopes, reads, writes):
    grant = a_grant(scopes=scopes)
    allowed = [refusal_of(grant, a_call(method)) == "" for method in ("GET", "HEAD", "OPTIONS", "POST")]
    assert allowed == [reads, reads, reads, writes]


def test_an_undeclared_operation_needs_more_than_an_operations_scope():
    at = op("GET", "/v1/else", pass_undeclared=True)
    assert refusal_of(a_grant(scopes=("world:read",)), at=at) == ""
    assert refusal_of(a_grant(scopes=("world:",)), at=at) == "scope_missing"


# --- addresses ---


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("192.0.2.7", True),
        ("192.0.3.7", False),
        ("::ffff:192.0.2.7", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("unix:", False),
    ],
)
def test_allowed_addresses(address, inside):
    assert address_in(address, ("192.0.2.0/24", "2001:db8::/32")) is inside


def test_the_address_is_looked_at_on_every_call():
    grant = a_grant(allowed_ips=("192.0.2.0/24",))
    assert refusal_of(grant) == ""
    assert refusal_of(grant, a_call(client="198.51.100.1")) == "ip_not_allowed"


# --- states ---


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "suspended"}, "api_suspended"),
        ({"state": "retired"}, "version_retired"),
        ({"state": "active"}, ""),
    ],
)
def test_states_of_an_api(changes, code):
    assert refusal_of(a_grant(), at=op(**changes)) == code


@pytest.mark.parametrize("state", ["cancelled", "anything new"])
def test_only_an_active_subscription_counts(state):
    grant = a_grant()
    grant.subscription = records.Subscription("s", 1, "o", "p", ("api-id",), "pv", (), state=state)
    assert refusal_of(grant) == "no_subscription"


def test_a_405_says_what_is_allowed():
    with pytest.raises(Refusal) as refusal:
        admit(a_call("PUT"), a_grant(), op("PUT"), SETTINGS)
    assert refusal.value.headers == (("allow", "GET, HEAD, OPTIONS, POST"),)


# --- terms ---


def test_terms_are_compiled_once_per_grant_and_operation():
    grant = a_grant()
    first = admit(a_call(), grant, op(), SETTINGS)
    assert admit(a_call(), grant, op(), SETTINGS) is first
    assert admit(a_call("POST"), grant, op("POST"), SETTINGS) is not first


def test_the_providers_credentials_are_opened_for_their_own_upstream_only():
    sealed = encrypt(SETTINGS.encryption_key, json.dumps([["X-Secret", "s3"]]), aad="upstream:up:headers")
    for upstream_id, opens in [("up", True), ("moved", False)]:
        upstream = records.Upstream(upstream_id, "https://u.example/base/", secret_headers=sealed)
        version = records.Version("v1", "v1", "/v1", upstream, operations=an_api().versions[0].operations)
        at = op(versions=(version,))
        if opens:
            target = admit(a_call(), a_grant(), at, SETTINGS).target
            assert (target.headers, target.base_url) == ((("x-secret", "s3"),), "https://u.example/base")
        else:
            with pytest.raises(NotOpened):
                admit(a_call(), a_grant(), at, SETTINGS)


# --- claims ---

QUOTA = records.Limit("quota:billable:period", "quota", "period", 1000)
TRIAL = records.Limit("quota:admitted:ever", "quota", "trial", 100, "admitted", "ever", refusal="email_unverified")
BUCKET = records.Limit("bucket:second", "bucket", "burst", 20, refill=10, refill_ms=1000, refusal="rate_limited")
CONSENT = records.Limit("quota:billable:consent", "quota", "included", 5, refusal="overage_not_allowed")
PERIOD = records.Period("period-id", NOW_MS - HOUR_MS, NOW_MS + HOUR_MS)


def test_a_quota_over_a_period():
    (claim,) = claims(a_grant(limits=(QUOTA,)), PERIOD)
    assert claim.counter == f"tg:c:{{org-id}}:sub-id:quota:billable:period:{PERIOD.start_ms}"
    assert (claim.window_start_ms, claim.window_end_ms, claim.period_id) == (
        PERIOD.start_ms,
        PERIOD.end_ms,
        "period-id",
    )
    assert (claim.kind, claim.limit, claim.meter, claim.hard, claim.version) == ("quota", 1000, "billable", True, 3)


def test_a_bucket_has_no_window_and_a_trial_never_ends():
    bucket, trial = claims(a_grant(limits=(BUCKET, TRIAL)), PERIOD)[::-1]
    assert bucket.counter.endswith(":sub-id:bucket:second:0")
    assert (bucket.limit, bucket.refill, bucket.refill_ms, bucket.period_id) == (20, 10, 1000, "")
    assert trial.counter.endswith(":sub-id:quota:admitted:ever:0")
    assert (trial.meter, trial.window_end_ms) == ("admitted", 0)


@pytest.mark.parametrize(
    ("per", "subject"), [("subscription", "sub-id"), ("key", "key-id"), ("organization", "org-id")]
)
def test_whose_counter_it_is(per, subject):
    limit = records.Limit("q", "quota", "q", 1, per=per)
    assert claims(a_grant(limits=(limit,)), PERIOD)[0].counter.startswith(f"tg:c:{{org-id}}:{subject}:q:")
    assert claims(a_grant("test", limits=(limit,)), PERIOD)[0].counter.startswith(f"tg:c:{{org-id}}:{subject}:test:q:")


def test_an_organizations_own_limits_hold_for_live_calls_only():
    for kind, names in [("live", ["trial", "period"]), ("test", ["period"])]:
        grant = a_grant(kind, limits=(QUOTA,))
        grant.organization = records.Organization(
            "org-id",
            7,
            limits=(records.Limit("org:trial", "quota", "trial", 100, per="organization", refusal="email_unverified"),),
        )
        made = claims(grant, PERIOD)
        assert [claim.name for claim in made] == names
    assert made[0].version == 3


def test_money_is_asked_before_rate_and_quota_and_the_sandbox_before_money():
    names = [claim.refusal for claim in claims(a_grant(limits=(BUCKET, QUOTA, CONSENT, TRIAL)), PERIOD)]
    assert names == ["email_unverified", "overage_not_allowed", "rate_limited", "quota_exceeded"]


def test_a_subscription_in_dunning_keeps_a_tenth_of_its_rate():
    grant = a_grant(limits=(BUCKET, QUOTA))
    grant.standing = records.Standing("sub-id", 1, "limited")
    bucket, quota = claims(grant, PERIOD)
    assert (bucket.refill, bucket.refill_ms, quota.limit) == (10, 10 * 1000, 1000)


def test_the_period_is_that_of_the_calls_instant():
    grant = a_grant(limits=(QUOTA,))
    second = records.Period("second", PERIOD.end_ms, PERIOD.end_ms + HOUR_MS)
    grant.subscription = records.Subscription("sub-id", 1, "o", "p", ("api-id",), "pv", (PERIOD, second))
    terms = admit(a_call(), grant, op(), SETTINGS)
    instants = [PERIOD.start_ms, PERIOD.end_ms - 1, PERIOD.end_ms, second.end_ms - 1, PERIOD.start_ms]
    assert [terms.at(at).period.id for at in instants] == ["period-id", "period-id", "second", "second", "period-id"]
    for outside in (PERIOD.start_ms - 1, second.end_ms):
        with pytest.raises(Refusal) as refusal:
            terms.at(outside)
        assert refusal.value.code == "directory_stale"


def test_the_checks_stand_in_the_order_of_their_statuses():
    assert [check.__name__ for check in admission.CHECKS] == [
        "_organization_active",
        "_api_open",
        "_scope_covers",
        "_address_allowed",
        "_subscribed",
        "_sandbox_there",
        "_not_retired",
        "_declared",
        "_in_good_standing",
    ]
