"""Who: people, organizations, projects, roles, tokens, and the record of what they did."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Lower

from kit.django.fields import Published, Row


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.alias(lowered=Lower("email")).get(lowered=(username or "").lower())  # as user_email_once indexes it


class User(AbstractBaseUser, PermissionsMixin, Row):
    """A person; the e-mail address is the login, there is no username."""

    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    email_verified_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta(Row.Meta):
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.email


class Organization(Published):
    """The tenant: buyer, provider, or both. The unit of sharding and of every limit."""

    class State(models.TextChoices):
        ACTIVE = "active"
        SUSPENDED = "suspended"

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE)
    zone = models.CharField(max_length=64, default="UTC", help_text="IANA time zone of its billing periods")

    def __str__(self) -> str:
        return self.name


class Project(Row):
    """Keys and subscriptions belong to a project."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60)

    class Meta(Row.Meta):
        constraints = [models.UniqueConstraint(fields=("organization", "slug"), name="project_slug_once")]

    def __str__(self) -> str:
        return self.name


class Membership(Row):
    """A person's role in an organization."""

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        BILLING = "billing"
        DEVELOPER = "developer"
        READ_ONLY = "read_only", "Read only"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.DEVELOPER)

    class Meta(Row.Meta):
        constraints = [models.UniqueConstraint(fields=("organization", "user"), name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.role}"


class ManagementToken(Row):
    """A bearer token (`tgm_…`) for the management REST API: shown once, stored as a digest."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="tokens")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=120)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    last4 = models.CharField(max_length=4, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return f"{self.name} · tgm_…{self.last4}"


class AuditEvent(Row):
    """One thing somebody did. Append-only: triggers refuse update, delete and truncate."""

    at = models.DateTimeField()
    organization_id = models.UUIDField(null=True, blank=True)
    actor_kind = models.CharField(max_length=16)  # user | token | admin | system
    actor_id = models.UUIDField(null=True, blank=True)
    actor_label = models.CharField(max_length=254, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    action = models.CharField(max_length=64)  # "key.created"
    target_kind = models.CharField(max_length=32)
    target_id = models.UUIDField(null=True, blank=True)
    target_label = models.CharField(max_length=254, blank=True)
    before = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)

    class Meta(Row.Meta):
        indexes = [models.Index(fields=("organization_id", "-id"), name="audit_of_org")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label} {self.action} {self.target_label}"
