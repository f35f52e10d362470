"""Count: what happened, added up twice, and who reported it.

Ids only: no foreign key leaves this app, so that usage can move to a store of its own. The tables are
written by `usage.consumer` alone, in SQL; the models describe them to the ORM and the admin.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class UsageEvent(models.Model):
    """One ending of one call. Partitioned by month of `ts`; the database's key is (event_id, ts).

    A CHECK holds `ts` to the instant inside the id, so the id alone is unique and serves Django as the key.
    """

    event_id = models.UUIDField(primary_key=True)
    ts = models.DateTimeField()
    period_id = models.UUIDField(null=True)
    gateway = models.TextField()
    worker = models.TextField()
    boot_id = models.TextField()
    seq = models.BigIntegerField()
    organization = models.UUIDField()
    project = models.UUIDField(null=True)
    key = models.UUIDField()
    subscription = models.UUIDField(null=True)
    plan_version = models.UUIDField(null=True)
    api = models.UUIDField(null=True)
    version = models.TextField()
    operation = models.TextField()
    method = models.TextField()
    status = models.SmallIntegerField()
    problem = models.TextField()
    billable = models.BooleanField()
    accepted = models.BooleanField()
    cached = models.BooleanField()
    test = models.BooleanField()
    console = models.BooleanField()
    count = models.IntegerField()
    bytes_in = models.BigIntegerField()
    bytes_out = models.BigIntegerField()
    units = models.JSONField()
    dimensions = models.JSONField()
    latency_ms = models.IntegerField()
    upstream_ms = models.IntegerField()
    client_request_id = models.TextField()
    end_user = models.TextField()
    call_id = models.UUIDField(null=True)
    part = models.IntegerField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "usage_event"
        indexes = [models.Index(fields=("organization", "ts"), name="usage_event_by_org")]

    def __str__(self) -> str:
        return f"{self.ts:%Y-%m-%d %H:%M:%S} {self.method} {self.status}"


class Sums(models.Model):
    """What both rollups add up. `calls` counts collapsed refusals one by one, and a streamed call once."""

    organization = models.UUIDField()
    hour = models.DateTimeField()
    events = models.BigIntegerField()
    calls = models.BigIntegerField()
    admitted = models.BigIntegerField()
    bytes_in = models.BigIntegerField()
    bytes_out = models.BigIntegerField()
    cached_bytes = models.BigIntegerField()  # the part of bytes_out that came from our own cache
    units = models.JSONField()

    class Meta:
        abstract = True


class UsageBill(Sums):
    """What rating reads: live calls of a subscription, by hour and price dimensions. Test calls never enter."""

    period_id = models.UUIDField()
    subscription = models.UUIDField()
    plan_version = models.UUIDField(null=True)
    billable = models.BooleanField()
    dimensions = models.JSONField()

    class Meta:
        db_table = "usage_bill"
        constraints = [
            models.UniqueConstraint(
                fields=(
                    "organization",
                    "subscription",
                    "period_id",
                    "hour",
                    "billable",
                    "dimensions",
                    "plan_version",
                ),
                name="usage_bill_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} {self.subscription} {self.calls}"


class UsageHour(Sums):
    """What dashboards read: every call, live and test, by key, operation and status class."""

    project = models.UUIDField(null=True)
    key = models.UUIDField()
    subscription = models.UUIDField(null=True)
    period_id = models.UUIDField(null=True)
    api = models.UUIDField(null=True)
    operation = models.TextField()
    status_class = models.SmallIntegerField()  # 2 = 2xx; 0 = the client was answered nothing
    test = models.BooleanField()
    billable = models.BigIntegerField()
    spent = models.BigIntegerField()  # what counters of the meter `billable` hold used: also of test calls
    accepted = models.BigIntegerField()
    latency_ms = models.BigIntegerField()  # of accepted calls, added up
    upstream_ms = models.BigIntegerField()
    latency = ArrayField(models.IntegerField())  # how many accepted calls per step of usage.latency.BOUNDS_MS

    class Meta:
        db_table = "usage_hour"
        constraints = [
            models.UniqueConstraint(
                fields=(
                    "organization",
                    "hour",
                    "key",
                    "operation",
                    "status_class",
                    "api",
                    "subscription",
                    "period_id",
                    "project",
                    "test",
                ),
                name="usage_hour_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} {self.key} {self.calls}"


class Producer(models.Model):
    """One life of one gateway worker, and how much of what it wrote down is counted.

    `committed_seq`: this event and all before it are stored. `ahead` holds the ranges [first, last] stored
    beyond a gap. `committed_clock`: every event with an earlier instant is stored.
    """

    boot_id = models.TextField(primary_key=True)
    gateway = models.TextField()
    worker = models.TextField()
    started_at = models.DateTimeField()  # no event of it is earlier
    committed_seq = models.BigIntegerField(default=0)
    ahead = models.JSONField(default=list)
    heard_seq = models.BigIntegerField(default=0)  # of the latest heartbeat, which may wait for a gap to close
    heard_clock = models.DateTimeField(null=True)
    committed_clock = models.DateTimeField(null=True)
    last_beat_at = models.DateTimeField()  # when something of it was last taken in
    bye = models.BooleanField(default=False)  # it said that nothing follows
    dead = models.BooleanField(default=False)  # its journal was shipped to the end after it died
    closed = models.BooleanField(default=False)  # bye or dead, and all it wrote is stored

    class Meta:
        db_table = "usage_producer"

    def __str__(self) -> str:
        return f"{self.gateway} {self.worker} {self.boot_id}"


class Quarantine(models.Model):
    """An event too old or too far in the future to be counted without somebody's decision."""

    event_id = models.UUIDField(primary_key=True)
    ts = models.DateTimeField()
    organization = models.UUIDField()
    boot_id = models.TextField()
    seq = models.BigIntegerField()
    reason = models.TextField()
    raw = models.BinaryField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "usage_quarantine"

    def __str__(self) -> str:
        return f"{self.ts:%Y-%m-%d %H:%M:%S} {self.reason}"


class DeadLetter(models.Model):
    """A journal line that could not be read or stored, kept byte for byte. Blocks the closing of periods."""

    digest = models.TextField(primary_key=True)  # SHA-256 of boot, file and line: a repeated line stands once
    boot_id = models.TextField()
    file = models.TextField()
    seq = models.BigIntegerField()  # where it stood, as far as its neighbours tell
    reason = models.TextField()
    raw = models.BinaryField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "usage_dead_letter"

    def __str__(self) -> str:
        return f"{self.boot_id}:{self.seq} {self.reason}"
