"""From the database to what a gateway reads: the real outbox, the real Valkey."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.utils import timezone

from accounts import public as accounts
from gateway import public as gateway
from gateway.directory import Directory
from gateway.records import Grant
from kit.secrets import decrypt, key_digests, new_api_key
from marketplace import public, tasks
from marketplace.actions.periods import extend_due
from marketplace.models import ApiKey, Plan, Subscription, Upstream
from marketplace.publish import everything
from tests.marketplace.shop import FREE, NOW, QUOTA, ROOT, key_of, open_shop, subscribed

BY = {"actor": ROOT, "at": NOW}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def directory() -> Iterator[None]:
    """The real handler, and a Valkey that holds an empty but whole directory."""
    server().flushdb()
    public.publish_everything()
    yield
    server().flushdb()


def server():
    return gateway.connect(django_settings.GATEWAY.redis_url, timeout_s=2.0)


def table() -> Directory:
    loaded = gateway.load_directory(server())
    assert loaded is not None
    return loaded[0]


def grant_of(secret: str, slug: str = "world") -> Grant | None:
    """The grant that a gateway joins for a key and an API."""
    known = table()
    for digest in key_digests(secret, django_settings.KEY_PEPPERS):
        key, api = known.key(digest), known.api(slug)
        if key is not None and api is not None:
            return known.grant(key, api=api)
    return None


def test_a_new_account_can_call_at_once(shop, acme):
    start = {"project_id": acme.project, "user_id": acme.owner.id, "verified": False, "api_slug": "world"}
    minted = public.mint_start(acme.org, **start, **BY)
    grant = grant_of(minted.live_secret)
    assert grant.key.id == str(minted.live_key.id)
    assert grant.subscription.apis == (str(shop.api),)
    assert [limit.id for limit in grant.plan_version.limits] == ["quota:billable:period", "bucket:second"]
    assert grant.subscription.periods[0].id == str(current_period(acme.org))
    assert len(grant.subscription.periods) == 4
    assert gateway.in_force(server(), str(acme.org))


def test_an_unverified_owner_has_a_hundred_live_calls(shop, acme):
    subscribed(shop, acme)
    _, secret = key_of(acme)
    (limit,) = grant_of(secret).organization.limits
    assert (limit.amount, limit.meter, limit.window, limit.per, limit.refusal, limit.hard) == (
        100, "admitted", "ever", "organization", "email_unverified", True,
    )  # fmt: skip
    accounts.mark_verified(acme.owner.id, actor=ROOT, at=NOW)
    assert grant_of(secret).organization.limits == ()


def test_a_revoked_key_and_a_suspended_organization_are_told(shop, acme):
    view, secret = key_of(acme)
    public.revoke_key(acme.org, id=view.id, **BY)
    assert grant_of(secret).key.state == "revoked"
    accounts.suspend_organization(acme.org, actor=ROOT, at=NOW)
    assert grant_of(secret).organization.state == "suspended"


def test_a_rolled_key_and_its_successor_both_work_for_a_while(shop, acme):
    view, old = key_of(acme)
    _, new = public.roll_key(acme.org, id=view.id, overlap="1h", **BY)
    assert grant_of(old).key.expires_ms == int((NOW + timedelta(hours=1)).timestamp() * 1000)
    assert grant_of(new).key.expires_ms is None


def test_adopted_limits_are_in_force_for_every_subscriber(shop, acme, evil):
    holders = [subscribed(shop, who) for who in (acme, evil)]
    secrets = [key_of(who)[1] for who in (acme, evil)]
    draft = public.new_version(Plan.objects.get(slug="world-free").id, **BY)
    public.set_terms(draft.id, terms=replace(FREE, limits=[{**QUOTA, "amount": 7}]), **BY)
    public.publish_version(draft.id, **BY)
    public.adopt_version(draft.id, **BY)
    for held, secret in zip(holders, secrets, strict=True):
        grant = grant_of(secret)
        assert grant.subscription.id == str(held.id)
        assert (grant.plan_version.number, [limit.amount for limit in grant.plan_version.limits]) == (2, [7])
        assert grant.subscription.periods[0].id == str(current_period(held.organization_id))  # the counters stay


def test_an_api_is_told_with_its_servers_and_operations(shop):
    (version,) = table().api("world").versions
    assert (version.base_path, version.upstream.base_url) == ("/v1", "https://world.example")
    assert [(each.operation_id, each.method, each.path) for each in version.operations] == [
        ("getCountry", "GET", "/countries/{code}")
    ]
    assert version.test_upstream.id == version.upstream.id
    public.suspend_api(shop.provider, id=shop.api, **BY)
    assert table().api("world").state == "suspended"


def test_only_the_gateway_can_open_a_server_s_headers(shop):
    upstream = Upstream.objects.get()
    pairs = [("X-Token", "s3cret-of-the-provider")]
    public.set_upstream(
        shop.provider, api_id=shop.api, name="live", base_url="https://world.example", headers=pairs, **BY
    )
    (version,) = table().api("world").versions
    sealed = version.upstream.secret_headers
    assert "s3cret" not in sealed
    opened = decrypt(django_settings.ENCRYPTION_KEY, sealed, aad=f"upstream:{upstream.id}:headers")
    assert opened == '[["X-Token", "s3cret-of-the-provider"]]'


def test_drafts_are_nobody_s_business(shop, acme):
    public.create_api(acme.org, slug="draft", name="Draft", **BY)
    assert table().api("draft") is None
    assert {record.id for record in everything(at=NOW) if isinstance(record, gateway.Api)} == {str(shop.api)}


def test_a_new_period_reaches_the_gateway(shop, acme):
    held = subscribed(shop, acme)
    _, secret = key_of(acme)
    extend_due(at=held.period.end_at)
    row = Subscription.objects.get(id=held.id)
    assert row.period_start_at == held.period.end_at
    assert grant_of(secret).subscription.rev == row.rev


def current_period(org):
    """The id of the period that now is in: the outbox reads the clock."""
    (held,) = public.subscriptions(org, at=timezone.now())
    return held.period.id


# --- a server that lost its memory ---


def test_an_empty_server_is_filled_again(shop, acme):
    subscribed(shop, acme)
    kept, gone = key_of(acme), key_of(acme)
    public.revoke_key(acme.org, id=gone[0].id, **BY)
    before = grant_of(kept[1])
    server().flushdb()
    assert not gateway.directory_present(django_settings.GATEWAY)
    tasks.keep_directory()
    after = grant_of(kept[1])
    assert (after.key, after.organization, after.plan_version) == (before.key, before.organization, before.plan_version)
    assert after.subscription.apis == before.subscription.apis
    assert grant_of(gone[1]) is None


def test_a_full_server_is_left_alone(shop):
    epoch = server().get("tg:dir:epoch")
    tasks.keep_directory()
    assert server().get("tg:dir:epoch") == epoch


def test_what_changes_while_it_is_filled_is_not_lost(shop, acme):
    view, secret = key_of(acme)
    server().flushdb()
    records = iter(list(everything(at=NOW)))  # read before the revoke
    public.revoke_key(acme.org, id=view.id, **BY)
    gateway.publish_all(django_settings.GATEWAY, records)
    assert grant_of(secret).key.state == "revoked"


# --- another pepper ---


def test_peppers_rotate_without_a_key_being_known(shop, acme, settings):
    first = settings.KEY_PEPPERS[0]
    view, secret = key_of(acme)
    settings.KEY_PEPPERS = [first, "second", "third"]
    call_command("rotate_keys")
    row = ApiKey.objects.get(id=view.id)
    newest, before, _ = key_digests(secret, settings.KEY_PEPPERS)
    assert (row.digest, row.previous_digest, row.pepper_generation) == (newest, before, 3)
    known = table()
    assert known.key(newest).id == known.key(before).id == str(view.id)
    call_command("rotate_keys", finish=True)
    assert table().key(before) is None
    assert table().key(newest).id == str(view.id)


def test_rotating_twice_changes_nothing_more(acme, settings):
    view, _ = key_of(acme)
    settings.KEY_PEPPERS = [*settings.KEY_PEPPERS, "second"]
    call_command("rotate_keys")
    row = ApiKey.objects.get(id=view.id)
    call_command("rotate_keys")
    assert ApiKey.objects.get(id=view.id).rev == row.rev
    assert key_digests(new_api_key("live"), settings.KEY_PEPPERS)[0] != row.digest


# --- the Run panel's grants ---


def test_run_uses_the_newest_working_key_that_reaches_the_api(shop, acme, evil):
    run = {"api_slug": "world", "kind": "live", "at": timezone.now()}
    assert public.run_grant(acme.org, **run) is None
    key_of(acme)
    assert public.run_grant(acme.org, **run).subscription is None
    subscribed(shop, acme)
    newest, secret = key_of(acme)
    grant = public.run_grant(acme.org, **run)
    assert grant.key.id == str(newest.id)
    joined = grant_of(secret)
    assert (grant.key, grant.organization, grant.plan_version) == (joined.key, joined.organization, joined.plan_version)
    assert grant.subscription.periods == joined.subscription.periods
    assert public.run_grant(acme.org, **run | {"kind": "test"}) is None
    assert public.run_grant(evil.org, **run) is None


def test_a_visitor_may_call_the_one_api_and_is_not_counted(shop):
    open_shop("moon")
    grant = public.visitor_grant("world", at=NOW)
    assert (grant.visitor, grant.key.kind, grant.key.scopes) == (True, "test", ("world:*",))
    assert grant.subscription.apis == (str(shop.api),)
    assert public.api_record("world") == table().api("world")
