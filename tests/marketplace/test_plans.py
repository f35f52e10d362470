"""Plans: a draft can be anything, a published version never changes, and limits alone may be adopted."""

from dataclasses import replace

import pytest
from django.db import Error, transaction

from kit.django.outbox import Undelivered
from kit.errors import ProblemError
from marketplace import public
from marketplace.models import Limit, PlanVersion, Price, Subscription
from tests.marketplace.shop import BASE, FREE, NOW, OVERAGE, PRO, QUOTA, ROOT, subscribed, told

BY = {"actor": ROOT, "at": NOW}


def drafted(shop_version, terms):
    """A draft of the plan's next version with these terms."""
    plan = PlanVersion.objects.get(id=shop_version).plan_id
    draft = public.new_version(plan, **BY)
    return public.set_terms(draft.id, terms=terms, **BY)


def published(shop_version, terms):
    return public.publish_version(drafted(shop_version, terms).id, **BY)


def test_a_plan_says_what_it_costs_and_allows(shop):
    free, pro = public.plans(shop.api)
    assert (free.slug, free.given_to_new, free.version.free, free.version.prices) == ("world-free", True, True, ())
    assert [limit.sentence for limit in free.version.limits] == [
        "1,000 calls a month; calls beyond it are refused (429)",
        "10 calls a second, up to 20 at once; faster calls are refused (429)",
    ]
    assert [price.sentence for price in pro.version.prices] == [
        "$29.00 a month",
        "10,000 calls included, then $0.01 per call",
    ]
    assert (pro.version.free, pro.given_to_new) == (False, False)
    assert public.api("world").price == "Free plan, paid plans from $29.00 a month"


def test_a_new_version_is_a_copy_and_drafting_twice_is_once(shop):
    plan = PlanVersion.objects.get(id=shop.pro).plan_id
    draft = public.new_version(plan, **BY)
    assert (draft.number, draft.state) == (2, "draft")
    assert [price.config for price in draft.prices] == [{"amount": "29"}, {"included": 10_000, "unit_amount": "0.01"}]
    assert [limit.id for limit in draft.limits] == ["quota:billable:period", "bucket:second"]
    assert public.new_version(plan, **BY).id == draft.id


def test_publishing_is_once_and_for_good(shop):
    version = published(shop.pro, replace(PRO, limits=[QUOTA]))
    assert (version.state, version.number, version.published_at) == ("published", 2, NOW)
    assert public.publish_version(version.id, **BY) == version
    with pytest.raises(ProblemError, match="conflict"):
        public.set_terms(version.id, terms=FREE, **BY)
    assert public.plan("world-pro").version.number == 2


def test_the_hashes_tell_prices_and_limits_apart(shop):
    first = public.plan("world-pro").version
    limits_only = published(shop.pro, replace(PRO, limits=[QUOTA]))
    dearer = published(shop.pro, replace(PRO, prices=[BASE, {**OVERAGE, "unit_amount": "0.02"}], limits=[QUOTA]))
    assert limits_only.price_hash == first.price_hash != dearer.price_hash
    assert limits_only.limits_hash != first.limits_hash
    assert limits_only.limits_hash == dearer.limits_hash


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (replace(PRO, currency="XXX"), "currency"),
        (replace(PRO, interval="week"), "interval"),
        (replace(PRO, rounding="up"), "rounding"),
        (replace(PRO, late_policy="forget"), "late_policy"),
        (replace(PRO, late_policy="waive_below"), "late_waive_below"),
        (replace(PRO, late_policy="waive_below", late_waive_below="-1"), "late_waive_below"),
        (replace(PRO, late_policy="waive_below", late_waive_below="1" * 20), "late_waive_below"),
        (replace(PRO, prices=[{**BASE, "amount": 29.0}]), "prices.0.amount"),
        (replace(PRO, limits=[{**QUOTA, "amount": -1}]), "limits.0.amount"),
    ],
)
def test_bad_terms_name_their_field(shop, terms, field):
    with pytest.raises(ProblemError) as caught:
        drafted(shop.pro, terms)
    assert [error.field for error in caught.value.errors] == [field]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"slug": "World Pro"}, "invalid"),
        ({"slug": "world-pro"}, "conflict"),
        ({"slug": "new", "name": ""}, "invalid"),
        ({"slug": "new", "visibility": "hidden"}, "invalid"),
        ({"slug": "new", "api_ids": []}, "not_found"),
    ],
)
def test_plans_that_cannot_be(shop, more, code):
    asked = {"slug": "x", "name": "X", "api_ids": [shop.api], "terms": FREE} | BY | more
    with transaction.atomic(), pytest.raises(ProblemError) as caught:
        public.create_plan(**asked)
    assert caught.value.code == code


def test_a_plan_given_to_new_accounts_stays_free(shop):
    draft = drafted(shop.free, PRO)
    with pytest.raises(ProblemError) as caught:
        public.publish_version(draft.id, **BY)
    assert [error.field for error in caught.value.errors] == ["prices"]


# --- the database refuses it too ---


@pytest.mark.parametrize(
    "change",
    [
        lambda id: PlanVersion.objects.filter(id=id).update(currency="EUR"),
        lambda id: PlanVersion.objects.filter(id=id).update(state="draft", published_at=None),
        lambda id: PlanVersion.objects.filter(id=id).update(number=9),
        lambda id: PlanVersion.objects.filter(id=id).update(price_hash="0" * 64),
        lambda id: PlanVersion.objects.filter(id=id).delete(),
        lambda id: Price.objects.filter(plan_version=id).update(config={"amount": "1"}),
        lambda id: Price.objects.filter(plan_version=id).delete(),
        lambda id: Price.objects.create(plan_version_id=id, name="more", kind="flat", config={"amount": "1"}),
        lambda id: Limit.objects.filter(plan_version=id).update(amount=1),
        lambda id: Limit.objects.filter(plan_version=id).delete(),
        lambda id: Limit.objects.create(plan_version_id=id, limit_id="x", kind="quota", name="x", amount=1),
    ],
)
def test_nobody_changes_a_published_version(shop, change):
    with transaction.atomic(), pytest.raises(Error, match="published"):
        change(shop.pro)


def test_a_published_part_cannot_be_moved_out_or_in(shop):
    draft = drafted(shop.pro, PRO)
    for source, target in ((shop.pro, draft.id), (draft.id, shop.pro)):
        with transaction.atomic(), pytest.raises(Error, match="published"):
            Price.objects.filter(plan_version=source, name="Base").update(plan_version=target, name="Moved")


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "usd"},
        {"interval": "week"},
        {"state": "published"},
        {"late_policy": "waive_below"},
        {"late_waive_below": 1},
        {"number": 0},
    ],
)
def test_closed_sets_are_closed_in_the_database(shop, change):
    draft = drafted(shop.pro, PRO)
    with transaction.atomic(), pytest.raises(Error):
        PlanVersion.objects.filter(id=draft.id).update(**change)


def test_what_may_follow_publication(shop):
    assert PlanVersion.objects.filter(id=shop.pro).update(state="retired", rev=7) == 1


# --- adopting ---


def test_subscribers_move_to_a_limits_only_version_at_once(shop, acme):
    held = subscribed(shop, acme)
    rev = Subscription.objects.get(id=held.id).rev
    version = published(shop.free, replace(FREE, limits=[{**QUOTA, "amount": 2000}]))
    assert public.adopt_version(version.id, **BY) == 1
    row = Subscription.objects.get(id=held.id)
    assert (row.plan_version_id, row.rev, row.period_start_at) == (version.id, rev + 1, held.period.start_at)
    assert public.adopt_version(version.id, **BY) == 0


@pytest.mark.django_db(transaction=True)
def test_adoption_is_answered_once_the_directory_has_it(shop, acme, settings):
    subscribed(shop, acme)
    version = published(shop.free, replace(FREE, limits=[QUOTA]))
    told.clear()
    public.adopt_version(version.id, **BY)
    assert told == [f"adopters:{version.id}"]
    settings.OUTBOX_HANDLERS = {"directory": "tests.marketplace.shop.refuse"}
    with pytest.raises(Undelivered):
        public.adopt_version(version.id, **BY)


def test_other_prices_are_not_adopted(shop, acme):
    held = subscribed(shop, acme)
    version = published(shop.free, replace(FREE, rounding="half_up"))
    with pytest.raises(ProblemError, match="conflict") as caught:
        public.adopt_version(version.id, **BY)
    assert "prices, allowances or rules" in caught.value.detail
    assert Subscription.objects.get(id=held.id).plan_version_id == shop.free


def test_who_stays_with_older_prices_is_left_there(shop, acme, evil):
    old = subscribed(shop, acme)
    published(shop.free, replace(FREE, rounding="half_up"))
    new = subscribed(shop, evil)
    limits_only = published(shop.free, replace(FREE, rounding="half_up", limits=[QUOTA]))
    assert public.adopt_version(limits_only.id, **BY) == 1
    pinned = dict(Subscription.objects.values_list("id", "plan_version"))
    assert pinned == {old.id: shop.free, new.id: limits_only.id}
    with pytest.raises(ProblemError, match="conflict"):
        public.adopt_version(drafted(shop.free, FREE).id, **BY)


def test_nobody_is_moved_back(shop, acme):
    first = public.plan("world-free").version
    second = published(shop.free, replace(FREE, limits=[QUOTA]))
    held = subscribed(shop, acme)
    assert public.adopt_version(first.id, **BY) == 0
    assert Subscription.objects.get(id=held.id).plan_version_id == second.id


def test_a_bundle_covers_several_apis(shop):
    other = public.create_api(shop.provider, slug="moon", name="Moon", **BY)
    public.create_plan(slug="both", name="Both", api_ids=[shop.api, other.id], terms=FREE, **BY)
    assert set(public.plan("both").api_slugs) == {"world", "moon"}
