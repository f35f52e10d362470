"""What a subscription costs and allows: a plan, its numbered versions, their prices and limits.

A published version never changes: actions refuse it, and a trigger on the three tables does too.
"""

from django.core.validators import RegexValidator
from django.db import models

from kit.django.fields import Published, Row
from marketplace.models.apis import Api, Visibility
from marketplace.models.checks import one_of, only_if


class PlanState(models.TextChoices):
    ACTIVE = "active"
    RETIRED = "retired", "Retired (no new subscriptions)"


class Plan(Row):
    """A named offer over one API or several (a bundle). What it costs stands in its versions."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    apis: "models.ManyToManyField[Api, models.Model]" = models.ManyToManyField(Api, related_name="plans")
    visibility = models.CharField(max_length=16, choices=Visibility, default=Visibility.PUBLIC)
    state = models.CharField(max_length=16, choices=PlanState, default=PlanState.ACTIVE)
    family = models.SlugField(max_length=60, blank=True, help_text="Plans of one family share a single trial")
    once_per_person = models.BooleanField(
        default=True, help_text="If free: one for each person and API, over all organizations"
    )
    position = models.PositiveIntegerField(default=0, help_text="Order on the API's page")

    class Meta(Row.Meta):
        ordering = ("position", "id")
        constraints = [
            one_of("visibility", Visibility, name="plan_visibility"),
            one_of("state", PlanState, name="plan_state"),
        ]

    def __str__(self) -> str:
        return self.name


class PlanVersionState(models.TextChoices):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class Interval(models.TextChoices):
    MONTH = "month"
    YEAR = "year"


class Rounding(models.TextChoices):
    HALF_EVEN = "half_even", "Half to even"
    HALF_UP = "half_up", "Half up"


class Billability(models.TextChoices):
    STANDARD = "standard", "Answered 2xx, 3xx or 4xx except 429"


class LatePolicy(models.TextChoices):
    BILL = "bill", "Bill as an adjustment"
    WAIVE_BELOW = "waive_below", "Waive small adjustments"


class PlanVersion(Published):
    """One version of a plan. Subscriptions pin it; `number` counts up within the plan."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=PlanVersionState, default=PlanVersionState.DRAFT)
    published_at = models.DateTimeField(null=True, blank=True)
    currency = models.CharField(max_length=3, default="USD", validators=[RegexValidator(r"^[A-Z]{3}\Z")])
    interval = models.CharField(max_length=8, choices=Interval, default=Interval.MONTH)
    rounding = models.CharField(max_length=16, choices=Rounding, default=Rounding.HALF_EVEN)
    billability = models.CharField(max_length=16, choices=Billability, default=Billability.STANDARD)
    late_policy = models.CharField(max_length=16, choices=LatePolicy, default=LatePolicy.BILL)
    late_waive_below = models.DecimalField(max_digits=20, decimal_places=12, null=True, blank=True)
    free = models.BooleanField(default=False, editable=False, help_text="No price of it can ever charge")
    price_hash = models.CharField(max_length=64, blank=True, editable=False)
    limits_hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta(Published.Meta):
        constraints = [
            models.UniqueConstraint(fields=("plan", "number"), name="plan_version_number_once"),
            models.UniqueConstraint(fields=("plan",), condition=models.Q(state="draft"), name="plan_version_one_draft"),
            one_of("state", PlanVersionState, name="plan_version_state"),
            one_of("interval", Interval, name="plan_version_interval"),
            one_of("rounding", Rounding, name="plan_version_rounding"),
            one_of("billability", Billability, name="plan_version_billability"),
            one_of("late_policy", LatePolicy, name="plan_version_late_policy"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="plan_version_number"),
            models.CheckConstraint(condition=models.Q(currency__regex=r"^[A-Z]{3}$"), name="plan_version_currency"),
            only_if("published_at", when=~models.Q(state="draft"), name="plan_version_published_at"),
            only_if("late_waive_below", when=models.Q(late_policy="waive_below"), name="plan_version_late_waive"),
            models.CheckConstraint(
                condition=models.Q(late_waive_below__isnull=True) | models.Q(late_waive_below__gte=0),
                name="plan_version_late_waive_amount",
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft") | (~models.Q(price_hash="") & ~models.Q(limits_hash="")),
                name="plan_version_hashed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"


class Price(Row):
    """One price of a version; `config` holds the fields of its kind (`marketplace.pricing`), decimals as text."""

    plan_version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="prices")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=32)
    meter = models.CharField(max_length=40, blank=True)
    filters = models.JSONField(default=dict, blank=True, help_text="Which usage it prices: {dimension: [value…]}")
    config = models.JSONField(default=dict)

    class Meta(Row.Meta):
        ordering = ("position", "id")
        constraints = [
            models.UniqueConstraint(fields=("plan_version", "name"), name="price_name_once"),
            models.CheckConstraint(condition=models.Q(kind__regex=r"^[a-z][a-z_]*$"), name="price_kind"),
            models.CheckConstraint(condition=models.Q(meter__regex=r"^([a-z][a-z_]*)?$"), name="price_meter"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class LimitKind(models.TextChoices):
    QUOTA = "quota"
    BUCKET = "bucket"


class LimitMeter(models.TextChoices):
    BILLABLE = "billable", "Billable calls"
    ADMITTED = "admitted", "Admitted calls"


class LimitWindow(models.TextChoices):
    PERIOD = "period", "Billing period"
    EVER = "ever"


class LimitPer(models.TextChoices):
    SUBSCRIPTION = "subscription"
    KEY = "key"
    ORGANIZATION = "organization"


class LimitRefusal(models.TextChoices):
    QUOTA_EXCEEDED = "quota_exceeded"
    OVERAGE_NOT_ALLOWED = "overage_not_allowed"
    RATE_LIMITED = "rate_limited"


class Limit(Row):
    """One limit of a version. `limit_id` names its counter and stays the same over versions.

    quota: `amount` units of `meter` per `window`. bucket: `amount` tokens burst, `refill` more each `refill_ms`.
    """

    plan_version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="limits")
    limit_id = models.CharField(max_length=120, editable=False)
    position = models.PositiveIntegerField(default=0)
    kind = models.CharField(max_length=8, choices=LimitKind)
    name = models.CharField(max_length=40, help_text="As RateLimit fields show it")
    amount = models.BigIntegerField(help_text="Quota: units per window. Bucket: burst")
    meter = models.CharField(max_length=16, choices=LimitMeter, default=LimitMeter.BILLABLE)
    window = models.CharField(max_length=8, choices=LimitWindow, default=LimitWindow.PERIOD)
    hard = models.BooleanField(default=True, help_text="Soft: counted and shown, never refused")
    refill = models.BigIntegerField(default=0)
    refill_ms = models.BigIntegerField(default=0)
    per = models.CharField(max_length=16, choices=LimitPer, default=LimitPer.SUBSCRIPTION)
    refusal = models.CharField(max_length=32, choices=LimitRefusal, default=LimitRefusal.QUOTA_EXCEEDED)

    class Meta(Row.Meta):
        ordering = ("position", "id")
        constraints = [
            models.UniqueConstraint(fields=("plan_version", "limit_id"), name="limit_id_once"),
            models.UniqueConstraint(fields=("plan_version", "name"), name="limit_name_once"),
            one_of("kind", LimitKind, name="limit_kind"),
            one_of("meter", LimitMeter, name="limit_meter"),
            one_of("window", LimitWindow, name="limit_window"),
            one_of("per", LimitPer, name="limit_per"),
            one_of("refusal", LimitRefusal, name="limit_refusal"),
            # Redis scripts count in doubles: whole numbers end at 2⁵³.
            models.CheckConstraint(condition=models.Q(amount__gte=0, amount__lt=2**53), name="limit_amount"),
            models.CheckConstraint(
                condition=models.Q(kind="quota", refill=0, refill_ms=0)
                | models.Q(kind="bucket", amount__gte=1, refill__gte=1, refill__lt=2**53)
                & models.Q(refill_ms__gte=1, refill_ms__lte=86_400_000),
                name="limit_refill",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.amount:,}"
