"""Who holds which plan version for which APIs."""

from django.db import models

from kit.django.fields import Published, Row
from marketplace.models.apis import Api
from marketplace.models.checks import one_of, only_if
from marketplace.models.plans import Interval, PlanVersion
from marketplace.periods import Chain


class SubscriptionState(models.TextChoices):
    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class Subscription(Published):
    """A project's hold on a plan version. Zone and anchor are frozen at its start (`marketplace.periods`)."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    project = models.ForeignKey("accounts.Project", on_delete=models.PROTECT, related_name="+")
    plan_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="subscriptions")
    state = models.CharField(max_length=16, choices=SubscriptionState, default=SubscriptionState.ACTIVE)
    started_at = models.DateTimeField()
    zone = models.CharField(max_length=64)
    anchor_day = models.PositiveSmallIntegerField()
    anchor_month = models.PositiveSmallIntegerField(help_text="Counts for yearly plans")
    period_start_at = models.DateTimeField(help_text="The current period, as last published")
    period_end_at = models.DateTimeField()
    change_at = models.DateTimeField(null=True, blank=True, help_text="When next_version, or the end, takes effect")
    next_version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    free_holder = models.UUIDField(null=True, blank=True, help_text="The person who holds a plan that is given once")

    class Meta(Published.Meta):
        indexes = [
            models.Index(fields=("organization", "id"), name="subscription_by_org"),
            models.Index(fields=("period_end_at",), name="subscription_by_period"),
            models.Index(
                fields=("change_at",),
                name="subscription_by_change",
                condition=models.Q(change_at__isnull=False) & ~models.Q(state="cancelled"),
            ),
        ]
        constraints = [
            one_of("state", SubscriptionState, name="subscription_state"),
            models.CheckConstraint(
                condition=models.Q(anchor_day__gte=1, anchor_day__lte=31, anchor_month__gte=1, anchor_month__lte=12),
                name="subscription_anchor",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    period_start_at__gte=models.F("started_at"), period_end_at__gt=models.F("period_start_at")
                ),
                name="subscription_period",
            ),
            models.CheckConstraint(
                condition=models.Q(next_version__isnull=True) | models.Q(change_at__isnull=False),
                name="subscription_change",
            ),
            only_if("cancelled_at", when=models.Q(state="cancelled"), name="subscription_cancelled_at"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_version} · {self.state}"

    @property
    def chain(self) -> Chain:
        """Its periods from the last published start on."""
        return Chain(
            subscription_id=self.id,
            start_at=self.period_start_at,
            zone=self.zone,
            anchor_day=self.anchor_day,
            anchor_month=self.anchor_month,
            interval="year" if self.plan_version.interval == Interval.YEAR else "month",
        )


class SubscriptionApi(Row):
    """One API that a subscription covers. `live` ends with the subscription; it and the copies beside it carry
    the two rules that only one table can hold: one live subscription per project and API, and one hold per person
    and API on what is given once."""

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="covers")
    api = models.ForeignKey(Api, on_delete=models.PROTECT, related_name="covered_by")
    project = models.ForeignKey("accounts.Project", on_delete=models.PROTECT, related_name="+")
    free_holder = models.UUIDField(null=True, blank=True)
    live = models.BooleanField(default=True)

    class Meta(Row.Meta):
        constraints = [
            models.UniqueConstraint(fields=("subscription", "api"), name="subscription_api_once"),
            models.UniqueConstraint(
                fields=("project", "api"), condition=models.Q(live=True), name="live_subscription_once"
            ),
            models.UniqueConstraint(
                fields=("free_holder", "api"),
                condition=models.Q(live=True, free_holder__isnull=False),
                name="free_plan_once",
            ),
        ]

    def __str__(self) -> str:
        return str(self.api)
