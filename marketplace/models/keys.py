"""The keys that programs call with."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from kit.django.fields import Published
from marketplace.models.checks import one_of, only_if


def every_scope() -> list[str]:
    return ["*"]


class KeyKind(models.TextChoices):
    LIVE = "live"
    TEST = "test"


class KeyState(models.TextChoices):
    ACTIVE = "active"
    REVOKED = "revoked"


class ApiKey(Published):
    """A key, without the key: only its digest is kept, chained through `pepper_generation` peppers.

    `previous_digest` is the digest under one pepper less, kept while a rotation is under way.
    """

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    project = models.ForeignKey("accounts.Project", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=KeyKind)
    prefix = models.CharField(max_length=16, editable=False)
    last4 = models.CharField(max_length=4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    previous_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)
    pepper_generation = models.PositiveSmallIntegerField(editable=False)
    state = models.CharField(max_length=8, choices=KeyState, default=KeyState.ACTIVE)
    scopes = ArrayField(models.CharField(max_length=200), default=every_scope)
    allowed_ips = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.UUIDField(null=True, blank=True, editable=False)
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta(Published.Meta):
        verbose_name = "API key"
        indexes = [models.Index(fields=("organization", "id"), name="key_by_org")]
        constraints = [
            one_of("kind", KeyKind, name="key_kind"),
            one_of("state", KeyState, name="key_state"),
            only_if("revoked_at", when=models.Q(state="revoked"), name="key_revoked_at"),
            models.CheckConstraint(condition=models.Q(scopes__len__gte=1), name="key_scopes"),
            models.CheckConstraint(condition=models.Q(pepper_generation__gte=1), name="key_pepper_generation"),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {self.prefix}…{self.last4}"
