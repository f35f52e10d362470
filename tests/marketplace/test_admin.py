"""Operators' pages of the marketplace: all open, published versions stay as they are, every write is an action."""

import json

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent, User
from marketplace import public
from marketplace.models import (
    Api,
    ApiKey,
    Operation,
    Plan,
    PlanVersion,
    Price,
    Route,
    Subscription,
    Upstream,
    Version,
)
from tests.marketplace.contract.documents import document, operation, text
from tests.marketplace.shop import NOW, ROOT, key_of, open_shop, subscribed

BY = {"actor": ROOT, "at": NOW}
OURS = [model for model in admin.site._registry if model._meta.app_label == "marketplace"]


@pytest.fixture
def operator(client, db):
    client.force_login(User.objects.create_user("root@tollgate.example", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def full_shop(shop, acme, evil):
    open_shop("moon")
    for who in (acme, evil):
        subscribed(shop, who)
        key_of(who)
    return shop


def url(model, page, *args):
    return reverse(f"admin:marketplace_{model._meta.model_name}_{page}", args=args)


def do(operator, row_or_id, model, verb):
    return operator.post(url(model, "verb", row_or_id, verb), follow=True)


def said(response):
    return " ".join(str(message) for message in response.context["messages"])


def draft_of(version):
    return public.new_version(PlanVersion.objects.get(id=version).plan_id, **BY)


# --- all pages ---


def test_what_is_registered():
    assert {model.__name__ for model in OURS} == {
        "Api", "Version", "Operation", "Upstream", "Route", "Plan", "PlanVersion", "Subscription", "ApiKey",
    }  # fmt: skip


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_page_opens_with_few_queries(operator, full_shop, model):
    row = model.objects.order_by("pk").first()
    pages = [url(model, "changelist"), url(model, "changelist") + "?q=world", url(model, "change", row.pk)]
    for page in pages:
        operator.get(page)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert operator.get(page).status_code == 200, page
        assert len(queries) <= 14, (page, [query["sql"][:90] + query["sql"][-90:] for query in queries])
    assert operator.get(url(model, "history", row.pk)).status_code == 200
    adds = model in {Api, Version, Upstream, Route, Plan}
    assert operator.get(url(model, "add")).status_code == (200 if adds else 403)
    assert operator.get(url(model, "delete", row.pk)).status_code == 403


def test_no_secret_is_shown(operator, full_shop, settings):
    upstream = Upstream.objects.first()
    pairs = [("X-Token", "s3cret-of-the-provider")]
    public.set_upstream(
        upstream.api.provider_id,
        api_id=upstream.api_id,
        name=upstream.name,
        base_url=upstream.base_url,
        headers=pairs,
        **BY,
    )
    key = ApiKey.objects.first()
    for model, row in ((ApiKey, key), (Upstream, Upstream.objects.get(id=upstream.id))):
        for page in (url(model, "changelist"), url(model, "change", row.pk)):
            shown = operator.get(page).content.decode()
            assert key.digest not in shown
            assert "s3cret" not in shown
            assert "v1." not in shown.replace("/v1", "")


# --- APIs ---


def test_an_api_is_made_published_and_suspended(operator, acme):
    made = operator.post(
        url(Api, "add"),
        {
            "provider": acme.org,
            "slug": "sun",
            "name": "Sun",
            "summary": "",
            "category": "",
            "description_md": "",
            "visibility": "public",
        },
    )
    api = Api.objects.get(slug="sun")
    assert made.status_code == 302
    assert "server for live calls" in said(do(operator, api.id, Api, "publish"))
    source = text(document({"/a": {"get": operation()}}))
    operator.post(url(Version, "add"), {"api": api.id, "name": "v1", "base_path": "", "openapi": source})
    version = Version.objects.get(api=api)
    server = {
        "api": api.id,
        "name": "live",
        "base_url": "https://sun.example",
        "connect_s": 3,
        "first_byte_s": 30,
        "between_bytes_s": 60,
        "headers": "X-Token: abc",
    }
    operator.post(url(Upstream, "add"), server)
    operator.post(
        url(Route, "add"), {"version": version.id, "environment": "live", "upstream": Upstream.objects.get(api=api).id}
    )
    assert "Sun is published." in said(do(operator, api.id, Api, "publish"))
    assert "Sun is suspended." in said(do(operator, api.id, Api, "suspend"))
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {
        "api.created",
        "version.added",
        "upstream.set",
        "version.routed",
        "api.published",
        "api.suspended",
    } <= actions


def test_a_bad_document_is_said_with_its_place(operator, shop):
    bad = text(document({"/a?b": {"get": operation()}}))
    answer = operator.post(
        url(Version, "add"), {"api": shop.api, "name": "v2", "base_path": "", "openapi": bad}, follow=True
    )
    assert "/paths/~1a?b: A path holds a character" in answer.context["adminform"].form.errors["openapi"][0]
    assert Version.objects.count() == 1


def test_a_new_document_keeps_the_operations_ids(operator, shop):
    before = Operation.objects.get()
    paths = document()["paths"] | {"/more": {"get": operation()}}
    operator.post(url(Version, "change", shop.version), {"openapi": text(document(paths))})
    assert {each.operation_id for each in Operation.objects.all()} == {"getCountry", "get-more"}
    assert Operation.objects.get(operation_id="getCountry").id == before.id


def test_a_private_address_is_refused(operator, shop):
    server = {
        "api": shop.api,
        "name": "x",
        "base_url": "http://127.0.0.1:9",
        "connect_s": 3,
        "first_byte_s": 30,
        "between_bytes_s": 60,
        "headers": "",
    }
    answer = operator.post(url(Upstream, "add"), server)
    assert "TOLLGATE_UPSTREAM_ALLOW" in answer.context["adminform"].form.errors["base_url"][0]


# --- the plan editor ---

PRICE = {"position": "0", "name": "Calls", "kind": "graduated", "meter": "calls", "filters": "{}"}
LIMIT = {
    "position": "0",
    "kind": "quota",
    "name": "period",
    "amount": "500",
    "meter": "billable",
    "window": "period",
    "refill": "0",
    "refill_ms": "0",
    "per": "subscription",
    "refusal": "quota_exceeded",
    "hard": "on",
}
RULES = {"currency": "USD", "interval": "month", "rounding": "half_even", "late_policy": "bill", "late_waive_below": ""}


def posted(prices=(), limits=(), **rules):
    """What the editor's form sends: new rows only, for a draft without any."""
    body = RULES | rules
    for prefix, rows in (("prices", prices), ("limits", limits)):
        body |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
        body |= {f"{prefix}-{index}-{name}": value for index, row in enumerate(rows) for name, value in row.items()}
    return body


@pytest.fixture
def empty_draft(shop):
    return public.create_plan(slug="new", name="New", api_ids=[shop.api], terms=public.Terms(), **BY)


def test_a_draft_is_edited_and_published(operator, empty_draft):
    page = url(PlanVersion, "change", empty_draft.id)
    tiers = {**PRICE, "tiers": "100,000 0.005\n1000000 0.003\n* 0.0005"}
    answer = operator.post(page, posted([tiers], [LIMIT]))
    assert answer.status_code == 302, answer.context["errors"]
    price = Price.objects.get(plan_version=empty_draft.id)
    assert price.config["tiers"][2] == {"up_to": None, "unit_amount": "0.0005"}
    assert "$0.005 per call up to 100,000" in operator.get(page).content.decode()
    assert "never changes" in said(do(operator, empty_draft.id, PlanVersion, "publish"))
    assert PlanVersion.objects.get(id=empty_draft.id).price_hash


@pytest.mark.parametrize(
    ("price", "message"),
    [
        ({"tiers": "100000 0.005"}, "Line 1: Gap: no tier covers units beyond 100,000; end with up_to null."),
        ({"tiers": "1000 0.005\n500 0.1\n* 0"}, "Line 2: Overlap: the tier before already reaches 1,000."),
        ({"tiers": "x 0.005\n* 0"}, "Line 1: Write a whole number."),
        ({"tiers": "* 0,005"}, "Line 1: Not an amount"),
        ({"tiers": "* 1 2 3"}, "Line 1: Unknown field."),
        ({"tiers": ""}, "Required: a list of tiers."),
        ({"tiers": "* 1", "meter": ""}, "Unknown meter"),
        ({"tiers": "* 1", "amount": "5"}, "Unknown field."),
        ({"kind": "flat", "meter": "", "amount": "-5"}, "Must not be negative."),
        ({"kind": "percentage", "meter": "", "percent": "5", "of": "Nobody"}, "No usage or fixed price is named"),
        ({"filters": '["x"]', "tiers": "* 1"}, "An object"),
        ({"filters": "{", "tiers": "* 1"}, "valid JSON"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(operator, empty_draft, price, message):
    answer = operator.post(url(PlanVersion, "change", empty_draft.id), posted([PRICE | price]))
    assert answer.status_code == 200
    shown = json.dumps(
        [form.errors for formset in answer.context["inline_admin_formsets"] for form in formset.formset.forms]
    )
    assert message in shown, shown
    assert not Price.objects.filter(plan_version=empty_draft.id).exists()


def test_limits_are_checked_beside_the_field_too(operator, empty_draft):
    bucket = LIMIT | {"kind": "bucket", "name": "burst", "amount": "20"}
    answer = operator.post(url(PlanVersion, "change", empty_draft.id), posted([], [bucket]))
    forms = answer.context["inline_admin_formsets"][1].formset.forms
    assert forms[0].errors["refill"] == ["Must be at least 1."]
    answer = operator.post(
        url(PlanVersion, "change", empty_draft.id), posted([], [LIMIT, LIMIT | {"name": "two", "position": "1"}])
    )
    assert "already counts the same" in str(answer.context["inline_admin_formsets"][1].formset.forms[1].errors)


def test_an_unknown_currency_is_refused(operator, empty_draft):
    answer = operator.post(url(PlanVersion, "change", empty_draft.id), posted([], currency="XXX"), follow=True)
    assert "Unknown currency" in answer.content.decode()


def test_a_published_version_is_read_only_and_copied(operator, shop):
    page = url(PlanVersion, "change", shop.pro)
    shown = operator.get(page).content.decode()
    assert "New version" in shown
    assert 'name="prices-0-amount"' not in shown
    assert operator.post(page, posted([], currency="EUR")).status_code == 403
    answer = do(operator, shop.pro, PlanVersion, "new-version")
    draft = PlanVersion.objects.get(plan__slug="world-pro", state="draft")
    assert answer.redirect_chain[-1][0] == url(PlanVersion, "change", draft.id)
    assert 'value="29"' in answer.content.decode()


def test_subscribers_adopt_new_limits_with_one_action(operator, shop, acme):
    held = subscribed(shop, acme)
    draft = draft_of(shop.free)
    public.set_terms(draft.id, terms=public.Terms(limits=[{"kind": "quota", "name": "period", "amount": 5}]), **BY)
    assert "moved to Free v2: 1." in said(do(operator, draft.id, PlanVersion, "publish-and-adopt"))
    assert Subscription.objects.get(id=held.id).plan_version_id == draft.id
    assert AuditEvent.objects.get(action="plan_version.adopted").actor_kind == "admin"


def test_other_prices_are_neither_published_nor_adopted_by_it(operator, shop, acme):
    subscribed(shop, acme)
    draft = draft_of(shop.free)
    public.set_terms(draft.id, terms=public.Terms(rounding="half_up"), **BY)
    assert "cannot be adopted" in said(do(operator, draft.id, PlanVersion, "publish-and-adopt"))
    assert PlanVersion.objects.get(id=draft.id).state == "draft"


def test_a_plan_is_made_and_leads_to_its_first_version(operator, shop):
    body = {
        "slug": "gold",
        "name": "Gold",
        "description": "",
        "apis": [shop.api],
        "visibility": "public",
        "family": "",
        "position": 3,
    }
    answer = operator.post(
        url(Plan, "add"), body | {"versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0}, follow=True
    )
    draft = PlanVersion.objects.get(plan__slug="gold")
    assert answer.redirect_chain[-1][0] == url(PlanVersion, "change", draft.id)
    changed = {"name": "Golden", "description": "x", "visibility": "private", "position": 1}
    operator.post(
        url(Plan, "change", draft.plan_id), changed | {"versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0}
    )
    assert Plan.objects.get(slug="gold").name == "Golden"
    assert "no new subscriptions" in said(do(operator, draft.plan_id, Plan, "retire"))


# --- what customers hold ---


def test_keys_are_revoked_and_subscriptions_cancelled_from_the_list(operator, full_shop):
    for model, action in ((ApiKey, "revoke"), (Subscription, "cancel")):
        rows = list(model.objects.values_list("id", flat=True))
        operator.post(url(model, "changelist"), {"action": action, "_selected_action": rows})
    assert set(ApiKey.objects.values_list("state", flat=True)) == {"revoked"}
    assert not Subscription.objects.filter(change_at=None).exists()


def test_buttons_want_a_post_and_the_right(client, shop):
    client.force_login(User.objects.create_user("helper@tollgate.example", is_staff=True))
    assert client.get(url(Api, "verb", shop.api, "suspend")).status_code == 405
    assert client.post(url(Api, "verb", shop.api, "suspend")).status_code == 403
    assert Api.objects.get(id=shop.api).state == "published"
