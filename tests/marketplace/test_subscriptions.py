"""Free subscriptions: one per project and API, one per person and API, and no quota refilled by leaving."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import Error, connection, transaction

from accounts import public as accounts
from accounts.models import AuditEvent
from kit.errors import ProblemError
from marketplace import public
from marketplace.actions.periods import extend_due
from marketplace.actions.plans import retire_plan
from marketplace.actions.subscriptions import end_due
from marketplace.models import Subscription, SubscriptionApi
from marketplace.periods import period_id
from tests.marketplace.shop import FREE, NOW, ROOT, open_shop, plan_of, subscribed, tenant

BY = {"actor": ROOT, "at": NOW}


def test_it_pins_the_newest_version_and_starts_at_the_millisecond(shop, acme):
    held = subscribed(shop, acme)
    assert (held.version.id, held.state, held.api_slugs) == (shop.free, "active", ("world",))
    assert held.started_at == NOW.replace(microsecond=512_000) == held.period.start_at
    assert (held.zone, held.anchor_day) == ("Europe/Berlin", 20)
    assert held.period.end_at == datetime(2026, 12, 19, 23, tzinfo=UTC)
    assert held.period.id == period_id(held.id, held.started_at)


def test_the_sign_up_day_is_the_local_one(shop):
    kathmandu = tenant("Kath", zone="Asia/Kathmandu")
    late = datetime(2026, 11, 30, 20, 0, tzinfo=UTC)  # 1 December there
    held = subscribed(shop, kathmandu, at=late)
    assert (held.anchor_day, held.period.end_at) == (1, datetime(2026, 12, 31, 18, 15, tzinfo=UTC))


def test_asking_again_answers_the_same(shop, acme):
    held = subscribed(shop, acme)
    assert subscribed(shop, acme, at=NOW + timedelta(days=40)).id == held.id
    assert AuditEvent.objects.filter(action="subscription.started").count() == 1


def test_one_plan_per_project_and_api(shop, acme):
    plan_of(shop.api, "world-hobby", FREE)
    subscribed(shop, acme)
    with pytest.raises(ProblemError, match="conflict") as caught:
        subscribed(shop, acme, plan_slug="world-hobby")
    assert caught.value.detail == "This project already has Free."


def test_one_free_plan_per_person_over_all_organizations(shop, acme):
    subscribed(shop, acme)
    second, project = accounts.create_organization(owner_id=acme.owner.id, name="Second", zone="UTC", **BY)
    with pytest.raises(ProblemError, match="conflict") as caught:
        public.subscribe_free(second.id, project_id=project.id, api_slug="world", user_id=acme.owner.id, **BY)
    assert "another project" in caught.value.detail


def test_a_plan_that_is_not_given_once_may_be_held_in_each_project(shop, acme):
    plan_of(shop.api, "quota_1000", FREE, once_per_person=False)
    second = accounts.create_project(acme.org, name="Second", **BY)
    asked = {"api_slug": "world", "user_id": acme.owner.id, "plan_slug": "quota_1000"} | BY
    held = {public.subscribe_free(acme.org, project_id=id, **asked).id for id in (acme.project, second.id)}
    assert len(held) == 2
    ending = public.cancel_subscription(acme.org, id=held.pop(), **BY)
    assert ending.change_at == ending.period.end_at


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"api_slug": "mars"}, "not_found"),
        ({"api_slug": "a\x00"}, "not_found"),
        ({"plan_slug": "world-pro"}, "invalid"),
        ({"plan_slug": "nothing"}, "invalid"),
    ],
)
def test_what_cannot_be_taken(shop, acme, more, code):
    asked = {"project_id": acme.project, "api_slug": "world", "user_id": acme.owner.id} | BY | more
    with pytest.raises(ProblemError) as caught:
        public.subscribe_free(acme.org, **asked)
    assert caught.value.code == code


def test_a_foreign_project_is_not_there(shop, acme, evil):
    with pytest.raises(ProblemError, match="not_found"):
        public.subscribe_free(evil.org, project_id=acme.project, api_slug="world", user_id=evil.owner.id, **BY)


def test_a_retired_plan_takes_nobody_new(shop, acme):
    retire_plan(public.plan("world-free").id, **BY)
    with pytest.raises(ProblemError, match="invalid"):
        subscribed(shop, acme)


# --- at the same time ---


def at_once(count, attempt):
    """Run `attempt` in `count` threads that start together; answer what each answered or was refused with."""
    together = Barrier(count)

    def run(number):
        try:
            together.wait(20)
            return attempt(number)
        except ProblemError as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_get_one(shop, acme):
    answers = at_once(50, lambda _: subscribed(shop, acme).id)
    assert len(set(answers)) == 1
    assert Subscription.objects.count() == SubscriptionApi.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_person_in_ten_organizations_at_once_gets_one(shop, acme):
    places = [
        accounts.create_organization(owner_id=acme.owner.id, name=f"Org {n}", zone="UTC", **BY) for n in range(10)
    ]

    def attempt(number):
        organization, project = places[number]
        asked = {"project_id": project.id, "api_slug": "world", "user_id": acme.owner.id}
        return public.subscribe_free(organization.id, **asked, **BY).id

    answers = at_once(10, attempt)
    assert answers.count("conflict") == 9
    assert Subscription.objects.count() == 1


# --- the end ---


def test_cancelling_ends_with_the_period_and_refills_nothing(shop, acme):
    held = subscribed(shop, acme)
    ending = public.cancel_subscription(acme.org, id=held.id, **BY)
    assert (ending.state, ending.change_at) == ("active", held.period.end_at)
    assert public.cancel_subscription(acme.org, id=held.id, **BY).change_at == held.period.end_at
    assert end_due(at=held.period.end_at - timedelta(milliseconds=1)) == 0
    back = subscribed(shop, acme)
    assert (back.id, back.change_at) == (held.id, None)
    assert AuditEvent.objects.filter(action="subscription.resumed").count() == 1


def test_it_ends_at_its_instant_and_makes_room(shop, acme):
    held = subscribed(shop, acme)
    public.cancel_subscription(acme.org, id=held.id, **BY)
    later = held.period.end_at + timedelta(seconds=3)
    assert extend_due(at=later) == 0
    assert (end_due(at=later), end_due(at=later)) == (1, 0)
    ended = public.subscription(acme.org, id=held.id, at=later)
    assert (ended.state, ended.cancelled_at) == ("cancelled", held.period.end_at)
    assert subscribed(shop, acme, at=later).id != held.id


def test_a_paid_one_is_billing_s(shop, acme):
    held = subscribed(shop, acme)
    Subscription.objects.filter(id=held.id).update(free_holder=None, plan_version=shop.pro)
    with pytest.raises(ProblemError, match="conflict"):
        public.cancel_subscription(acme.org, id=held.id, **BY)


def test_another_organization_s_is_not_there(shop, acme, evil):
    held = subscribed(shop, acme)
    with pytest.raises(ProblemError, match="not_found"):
        public.cancel_subscription(evil.org, id=held.id, **BY)
    assert public.subscriptions(evil.org, at=NOW) == []


# --- time ---


def test_a_new_period_is_moved_to_once(shop, acme):
    held = subscribed(shop, acme)
    later = held.period.end_at
    assert (extend_due(at=later - timedelta(milliseconds=1)), extend_due(at=later), extend_due(at=later)) == (0, 1, 0)
    moved = public.subscription(acme.org, id=held.id, at=later)
    assert moved.period.start_at == held.period.end_at
    assert moved.period.id == period_id(held.id, held.period.end_at)


def test_a_worker_that_slept_for_months_catches_up_in_one_step(shop, acme):
    held = subscribed(shop, acme)
    later = datetime(2027, 6, 1, tzinfo=UTC)
    assert (extend_due(at=later), extend_due(at=later)) == (1, 0)
    assert public.subscription(acme.org, id=held.id, at=later).period.start_at == datetime(2027, 5, 19, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [{"state": "gone"}, {"anchor_day": 32}, {"anchor_month": 0}, {"state": "cancelled"}, {"cancelled_at": NOW}],
)
def test_the_database_holds_the_closed_sets(shop, acme, change):
    held = subscribed(shop, acme)
    with transaction.atomic(), pytest.raises(Error):
        Subscription.objects.filter(id=held.id).update(**change)


# --- new accounts ---


def start(who, **more):
    asked = {"project_id": who.project, "user_id": who.owner.id, "verified": False, "api_slug": None} | BY | more
    return public.mint_start(who.org, **asked)


def test_a_new_account_has_all_it_needs(shop, acme):
    minted = start(acme)
    assert minted.subscription.version.plan_slug == "world-free"
    assert (minted.test_key.kind, minted.live_key.kind) == ("test", "live")
    assert minted.live_secret[:12] == minted.live_key.prefix
    assert public.reveal_test_key(acme.org, id=minted.test_key.id)


def test_it_gets_the_api_it_came_for(shop, acme):
    open_shop("moon", featured=False)
    assert start(acme, api_slug="moon").subscription.api_slugs == ("moon",)


def test_an_api_without_a_free_plan_gives_the_featured_one(shop, acme):
    assert start(acme, api_slug="nothing").subscription.api_slugs == ("world",)


def test_without_any_api_there_are_keys_still(acme):
    minted = start(acme)
    assert minted.subscription is None
    assert len(public.keys(acme.org)) == 2


def test_who_holds_it_elsewhere_gets_keys_only(shop, acme):
    start(acme)
    second, project = accounts.create_organization(owner_id=acme.owner.id, name="Second", zone="UTC", **BY)
    minted = public.mint_start(
        second.id, project_id=project.id, user_id=acme.owner.id, verified=True, api_slug="world", **BY
    )
    assert minted.subscription is None
    assert minted.live_secret
