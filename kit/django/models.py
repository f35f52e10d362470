"""Tables of the kit."""

from datetime import timedelta

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models.functions import Now


class Outbox(models.Model):
    """One thing that must become known outside the database; written in the transaction of the change itself."""

    id = models.BigAutoField(primary_key=True)
    topic = models.CharField(max_length=64)  # whose handler: settings.OUTBOX_HANDLERS
    key = models.CharField(max_length=200)  # open rows of one (topic, key) are delivered as one
    payload = models.JSONField(default=dict)
    may_wait = models.BooleanField(default=False)  # no answer depends on its delivery
    created_at = models.DateTimeField(db_default=TransactionNow())  # one instant for all rows of a transaction
    next_at = models.DateTimeField(db_default=Now() + timedelta(seconds=1))  # the commit's own delivery comes first
    done_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    last_error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("id",)
        verbose_name_plural = "outbox"
        indexes = [
            models.Index(fields=("next_at",), condition=models.Q(done_at=None), name="outbox_due"),
            models.Index(fields=("topic", "key"), condition=models.Q(done_at=None), name="outbox_open"),
            models.Index(fields=("done_at",), condition=models.Q(done_at__isnull=False), name="outbox_done"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.key}"


class IdempotentAnswer(models.Model):
    """What was answered to a request with an Idempotency-Key; written in the transaction of the request's effect."""

    scope = models.CharField(max_length=64, unique=True)  # SHA-256 of principal, method, path and key
    request = models.CharField(max_length=64)  # SHA-256 of query and body
    status = models.SmallIntegerField()
    body = models.TextField()  # JSON as it was sent, but for its secrets
    created_at = models.DateTimeField(db_default=TransactionNow(), db_index=True)

    def __str__(self) -> str:
        return f"{self.status} at {self.created_at:%Y-%m-%d %H:%M}"
