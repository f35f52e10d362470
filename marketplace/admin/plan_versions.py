"""The plan editor: a draft's prices and limits in one form; a published version to look at, and to go on from."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from unfold.admin import StackedInline, TabularInline

from accounts.public import Actor
from marketplace.actions.plan_versions import Terms, adopt_version, new_version, publish_version, set_terms
from marketplace.admin.price_forms import LimitForm, LimitFormSet, PriceForm, PriceFormSet
from marketplace.admin.verbs import Verb, WithVerbs, by
from marketplace.mapping import limit_spec, plan_version_view
from marketplace.models import Limit, PlanVersion, PlanVersionState, Price

RULES = ("currency", "interval", "rounding", "late_policy", "late_waive_below")


class PriceEditor(StackedInline):
    model = Price
    form = PriceForm
    formset = PriceFormSet
    extra = 0
    fields = (
        ("name", "position"),
        ("kind", "meter"),
        ("amount", "unit_amount"),
        ("included", "size"),
        ("percent", "fixed"),
        ("tiers", "of"),
        ("dimension", "filters"),
    )


class LimitEditor(TabularInline):
    model = Limit
    form = LimitForm
    formset = LimitFormSet
    extra = 0


class _Shown(TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class PriceShown(_Shown):
    model = Price
    fields = readonly_fields = ("name", "kind", "meter", "filters", "config")


class LimitShown(_Shown):
    model = Limit
    fields = readonly_fields = ("limit_id", "name", "said")

    @admin.display(description="what it says")
    def said(self, row: Limit) -> str:
        return limit_spec(row).sentence("period")


def _publish(row: PlanVersion, actor: Actor, at: datetime) -> tuple[str, None]:
    publish_version(row.id, actor=actor, at=at)
    return f"{row} is published: from now on it never changes.", None


def _adopt(row: PlanVersion, actor: Actor, at: datetime) -> tuple[str, None]:
    moved = adopt_version(row.id, actor=actor, at=at)
    return f"Subscribers moved to {row}: {moved}.", None


@transaction.atomic
def _publish_and_adopt(row: PlanVersion, actor: Actor, at: datetime) -> tuple[str, None]:
    publish_version(row.id, actor=actor, at=at)
    return _adopt(row, actor, at)


def _next(row: PlanVersion, actor: Actor, at: datetime) -> tuple[str, PlanVersion]:
    draft = new_version(row.plan_id, actor=actor, at=at)
    return "This draft is a copy of the newest version.", PlanVersion(id=draft.id)


def _draft(row: PlanVersion) -> bool:
    return row.state == PlanVersionState.DRAFT


def _published(row: PlanVersion) -> bool:
    return row.state == PlanVersionState.PUBLISHED


@admin.register(PlanVersion)
class PlanVersionAdmin(WithVerbs):
    list_display = ("plan", "number", "state", "currency", "interval", "free", "subscribers", "published_at")
    list_select_related = ("plan",)
    list_filter = ("state", "free", "currency")
    search_fields = ("plan__name", "plan__slug")
    fields = ("plan", "number", "state", "published_at", *RULES, "billability", "says", "verbs_here")
    readonly_fields = ("plan", "number", "state", "published_at", "billability", "says", "verbs_here")
    verbs = {
        "publish": Verb("Publish", _publish, _draft),
        "publish-and-adopt": Verb("Publish and let subscribers adopt it (limits only)", _publish_and_adopt, _draft),
        "adopt": Verb("Let subscribers adopt it (limits only)", _adopt, _published),
        "new-version": Verb("New version", _next, lambda row: not _draft(row)),
    }
    actions = ("publish", "adopt")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or _draft(obj))

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanVersion]:
        live = Count("subscriptions", filter=~Q(subscriptions__state="cancelled"))
        rows = super().get_queryset(request).select_related("plan").annotate(live=live)
        return rows.prefetch_related("prices", "limits")

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [PriceEditor, LimitEditor] if obj is None or _draft(obj) else [PriceShown, LimitShown]

    @admin.display(description="subscribers", ordering="live")
    def subscribers(self, row: Any) -> int:
        return int(row.live)

    @admin.display(description="what customers read")
    def says(self, row: PlanVersion) -> str:
        view = plan_version_view(row)
        sentences = [*(price.sentence for price in view.prices), *(limit.sentence for limit in view.limits)]
        return " · ".join(filter(None, sentences)) or "Nothing yet."

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing yet: the version is written with its prices and limits, in `save_related`."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        row, (prices, limits) = form.instance, formsets
        waived = row.late_waive_below
        terms = Terms(
            currency=row.currency,
            interval=row.interval,
            rounding=row.rounding,
            late_policy=row.late_policy,
            late_waive_below=None if waived is None else f"{waived:f}",
            prices=prices.raws(),
            limits=limits.raws(),
        )
        set_terms(row.id, terms=terms, **by(request))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return super().construct_change_message(request, form, [], add)

    @admin.action(description="Publish", permissions=["verbs"])
    def publish(self, request: HttpRequest, rows: QuerySet[PlanVersion]) -> None:
        self.each(request, rows, lambda row: publish_version(row.id, **by(request)), done="Published")

    @admin.action(description="Let subscribers adopt (limits only)", permissions=["verbs"])
    def adopt(self, request: HttpRequest, rows: QuerySet[PlanVersion]) -> None:
        self.each(request, rows, lambda row: adopt_version(row.id, **by(request)), done="Versions adopted")

    def has_verbs_permission(self, request: HttpRequest) -> bool:
        return self.may(request)
