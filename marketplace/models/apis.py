"""An API as it is offered: its versions, their operations, and the servers behind it."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models.functions import Upper

from kit.django.fields import Published, Row
from marketplace.models.checks import one_of

_SEARCHED = (
    SearchVector("name", weight="A", config="english")
    + SearchVector("summary", "category", weight="B", config="english")
    + SearchVector("description_md", weight="C", config="english")
)


class Visibility(models.TextChoices):
    PUBLIC = "public"
    PRIVATE = "private"


class ApiState(models.TextChoices):
    DRAFT = "draft"
    PUBLISHED = "published"
    SUSPENDED = "suspended"
    RETIRED = "retired"


class Api(Published):
    """A product of one provider: `{gateway}/{slug}/…` answers it."""

    provider = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    summary = models.CharField(max_length=200, blank=True)
    description_md = models.TextField(blank=True, max_length=20_000, help_text="Markdown")
    category = models.CharField(max_length=60, blank=True)
    visibility = models.CharField(max_length=16, choices=Visibility, default=Visibility.PUBLIC)
    state = models.CharField(max_length=16, choices=ApiState, default=ApiState.DRAFT)
    featured = models.BooleanField(default=False, help_text="Shown first; new accounts start with a featured API")
    pass_undeclared = models.BooleanField(default=False, help_text="Forward paths that no operation declares")
    free_plan = models.ForeignKey(
        "Plan", on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Given to new accounts"
    )
    search = models.GeneratedField(expression=_SEARCHED, output_field=SearchVectorField(), db_persist=True)

    class Meta(Published.Meta):
        verbose_name = "API"
        verbose_name_plural = "APIs"
        indexes = [
            GinIndex(fields=("search",), name="api_search"),
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="api_name_trigrams"),
        ]
        constraints = [
            one_of("visibility", Visibility, name="api_visibility"),
            one_of("state", ApiState, name="api_state"),
            models.CheckConstraint(condition=models.Q(slug__regex=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"), name="api_slug"),
        ]

    def __str__(self) -> str:
        return self.name


class VersionState(models.TextChoices):
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


class Version(Row):
    """One version of an API, described by one OpenAPI document."""

    api = models.ForeignKey(Api, on_delete=models.PROTECT, related_name="versions")
    name = models.CharField(max_length=40)
    base_path = models.CharField(max_length=120, blank=True, help_text='"/v1", or empty when paths carry no version')
    document = models.JSONField(help_text="OpenAPI 3.0 or 3.1")
    state = models.CharField(max_length=16, choices=VersionState, default=VersionState.ACTIVE)
    deprecated_at = models.DateTimeField(null=True, blank=True)
    sunset_at = models.DateTimeField(null=True, blank=True)

    class Meta(Row.Meta):
        constraints = [
            models.UniqueConstraint(fields=("api", "name"), name="version_name_once"),
            models.UniqueConstraint(
                fields=("api", "base_path"), condition=~models.Q(state="retired"), name="version_base_path_once"
            ),
            one_of("state", VersionState, name="version_state"),
            models.CheckConstraint(
                condition=models.Q(base_path="") | models.Q(base_path__regex=r"^(/[A-Za-z0-9._~-]+)+$"),
                name="version_base_path",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.api} {self.name}"


class Operation(Row):
    """One method and path of a version, compiled so that nothing has to be looked up in the document again.

    `parameters`: [{name, in, required, description, schema, style, explode}…] · `request_body`: {required,
    description, content: [{type, schema}…]} or null · `responses`: [{status, description, content}…] ·
    `example`: {path, query, headers, content_type, body}: values that a first request can be sent with.
    """

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="operations")
    operation_id = models.CharField(max_length=120)
    method = models.CharField(max_length=8, help_text='upper-case; "*" = any')
    path = models.CharField(max_length=300, help_text="template below the version's base path")
    tag = models.CharField(max_length=80, blank=True)
    summary = models.CharField(max_length=300, blank=True)
    description = models.TextField(blank=True)
    parameters = models.JSONField(default=list)
    request_body = models.JSONField(null=True, blank=True)
    responses = models.JSONField(default=list)
    example = models.JSONField(default=dict)
    deprecated = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)

    class Meta(Row.Meta):
        ordering = ("position", "id")
        constraints = [
            models.UniqueConstraint(fields=("version", "operation_id"), name="operation_id_once"),
            models.UniqueConstraint(fields=("version", "method", "path"), name="operation_path_once"),
            models.CheckConstraint(condition=models.Q(method__regex=r"^([A-Z]+|\*)$"), name="operation_method"),
            models.CheckConstraint(condition=models.Q(path__startswith="/"), name="operation_path"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Upstream(Row):
    """A provider's own server. `secret_headers` is ciphertext: only the gateway opens it."""

    api = models.ForeignKey(Api, on_delete=models.CASCADE, related_name="upstreams")
    name = models.CharField(max_length=60)
    base_url = models.CharField(max_length=500)
    secret_headers = models.TextField(blank=True, editable=False)
    connect_s = models.FloatField(default=3.0)
    first_byte_s = models.FloatField(default=30.0)
    between_bytes_s = models.FloatField(default=60.0)

    class Meta(Row.Meta):
        constraints = [
            models.UniqueConstraint(fields=("api", "name"), name="upstream_name_once"),
            models.CheckConstraint(condition=models.Q(base_url__regex=r"^https?://"), name="upstream_scheme"),
            models.CheckConstraint(
                condition=models.Q(
                    connect_s__gt=0,
                    connect_s__lte=60,
                    first_byte_s__gt=0,
                    first_byte_s__lte=600,
                    between_bytes_s__gt=0,
                    between_bytes_s__lte=600,
                ),
                name="upstream_timeouts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {self.base_url}"


class Environment(models.TextChoices):
    LIVE = "live"
    TEST = "test"


class Route(Row):
    """Where the calls of one version go: live keys to one upstream, test keys to another."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="routes")
    environment = models.CharField(max_length=8, choices=Environment)
    upstream = models.ForeignKey(Upstream, on_delete=models.PROTECT, related_name="routes")

    class Meta(Row.Meta):
        constraints = [
            models.UniqueConstraint(fields=("version", "environment"), name="route_once"),
            one_of("environment", Environment, name="route_environment"),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.environment} → {self.upstream}"
