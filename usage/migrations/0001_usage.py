import django.contrib.postgres.fields
from django.db import migrations, models

EVENT_TABLE = """
CREATE TABLE usage_event (
    event_id uuid NOT NULL,
    ts timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    seq bigint NOT NULL,
    bytes_in bigint NOT NULL CHECK (bytes_in >= 0),
    bytes_out bigint NOT NULL CHECK (bytes_out >= 0),
    latency_ms integer NOT NULL,
    upstream_ms integer NOT NULL,
    count integer NOT NULL CHECK (count > 0),
    part integer NOT NULL CHECK (part >= 0),
    status smallint NOT NULL,
    billable boolean NOT NULL,
    accepted boolean NOT NULL,
    cached boolean NOT NULL,
    test boolean NOT NULL,
    console boolean NOT NULL,
    organization uuid NOT NULL,
    key uuid NOT NULL,
    project uuid,
    subscription uuid,
    plan_version uuid,
    period_id uuid,
    api uuid,
    call_id uuid,
    gateway text NOT NULL,
    worker text NOT NULL,
    boot_id text NOT NULL,
    version text NOT NULL,
    operation text NOT NULL,
    method text NOT NULL,
    problem text NOT NULL,
    client_request_id text NOT NULL,
    end_user text NOT NULL,
    units jsonb NOT NULL,
    dimensions jsonb NOT NULL,
    PRIMARY KEY (event_id, ts),
    -- An id of version 7 whose 48-bit instant is ts. Bit arithmetic: uuid_extract_timestamp needs PostgreSQL 17,
    -- and answers NULL for a version 4, which a CHECK lets pass.
    CONSTRAINT usage_event_ts_is_the_ids CHECK (
        get_byte(uuid_send(event_id), 6) >> 4 = 7
        AND ts = to_timestamp(
            ('x' || encode(substring(uuid_send(event_id) FOR 6), 'hex'))::bit(48)::bigint::float8 / 1000)
    )
) PARTITION BY RANGE (ts);
CREATE INDEX usage_event_by_org ON usage_event (organization, ts);
"""

UNITS = """
CREATE FUNCTION usage_units_add(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN b = '{}' THEN a WHEN a = '{}' THEN b ELSE (
        SELECT jsonb_object_agg(name, total) FROM (
            SELECT name, sum(quantity::numeric) AS total
              FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) AS both_(name, quantity)
             GROUP BY name) AS added) END
$$;
CREATE AGGREGATE usage_units_sum(jsonb) (SFUNC = usage_units_add, STYPE = jsonb, INITCOND = '{}');
"""
DROP_UNITS = "DROP AGGREGATE usage_units_sum(jsonb); DROP FUNCTION usage_units_add(jsonb, jsonb);"

ROOM_FOR_UPDATES = """
ALTER TABLE usage_bill SET (fillfactor = 70);
ALTER TABLE usage_hour SET (fillfactor = 70);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                ("digest", models.TextField(primary_key=True, serialize=False)),
                ("boot_id", models.TextField()),
                ("file", models.TextField()),
                ("seq", models.BigIntegerField()),
                ("reason", models.TextField()),
                ("raw", models.BinaryField()),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "db_table": "usage_dead_letter",
            },
        ),
        migrations.CreateModel(
            name="Producer",
            fields=[
                ("boot_id", models.TextField(primary_key=True, serialize=False)),
                ("gateway", models.TextField()),
                ("worker", models.TextField()),
                ("started_at", models.DateTimeField()),
                ("committed_seq", models.BigIntegerField(default=0)),
                ("ahead", models.JSONField(default=list)),
                ("heard_seq", models.BigIntegerField(default=0)),
                ("heard_clock", models.DateTimeField(null=True)),
                ("committed_clock", models.DateTimeField(null=True)),
                ("last_beat_at", models.DateTimeField()),
                ("bye", models.BooleanField(default=False)),
                ("dead", models.BooleanField(default=False)),
                ("closed", models.BooleanField(default=False)),
            ],
            options={
                "db_table": "usage_producer",
            },
        ),
        migrations.CreateModel(
            name="Quarantine",
            fields=[
                ("event_id", models.UUIDField(primary_key=True, serialize=False)),
                ("ts", models.DateTimeField()),
                ("organization", models.UUIDField()),
                ("boot_id", models.TextField()),
                ("seq", models.BigIntegerField()),
                ("reason", models.TextField()),
                ("raw", models.BinaryField()),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "db_table": "usage_quarantine",
            },
        ),
        migrations.CreateModel(
            name="UsageBill",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("organization", models.UUIDField()),
                ("hour", models.DateTimeField()),
                ("events", models.BigIntegerField()),
                ("calls", models.BigIntegerField()),
                ("admitted", models.BigIntegerField()),
                ("bytes_in", models.BigIntegerField()),
                ("bytes_out", models.BigIntegerField()),
                ("cached_bytes", models.BigIntegerField()),
                ("units", models.JSONField()),
                ("period_id", models.UUIDField()),
                ("subscription", models.UUIDField()),
                ("plan_version", models.UUIDField(null=True)),
                ("billable", models.BooleanField()),
                ("dimensions", models.JSONField()),
            ],
            options={
                "db_table": "usage_bill",
                "constraints": [
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
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(EVENT_TABLE, "DROP TABLE usage_event")],
            state_operations=[
                migrations.CreateModel(
                    name="UsageEvent",
                    fields=[
                        ("event_id", models.UUIDField(primary_key=True, serialize=False)),
                        ("ts", models.DateTimeField()),
                        ("period_id", models.UUIDField(null=True)),
                        ("gateway", models.TextField()),
                        ("worker", models.TextField()),
                        ("boot_id", models.TextField()),
                        ("seq", models.BigIntegerField()),
                        ("organization", models.UUIDField()),
                        ("project", models.UUIDField(null=True)),
                        ("key", models.UUIDField()),
                        ("subscription", models.UUIDField(null=True)),
                        ("plan_version", models.UUIDField(null=True)),
                        ("api", models.UUIDField(null=True)),
                        ("version", models.TextField()),
                        ("operation", models.TextField()),
                        ("method", models.TextField()),
                        ("status", models.SmallIntegerField()),
                        ("problem", models.TextField()),
                        ("billable", models.BooleanField()),
                        ("accepted", models.BooleanField()),
                        ("cached", models.BooleanField()),
                        ("test", models.BooleanField()),
                        ("console", models.BooleanField()),
                        ("count", models.IntegerField()),
                        ("bytes_in", models.BigIntegerField()),
                        ("bytes_out", models.BigIntegerField()),
                        ("units", models.JSONField()),
                        ("dimensions", models.JSONField()),
                        ("latency_ms", models.IntegerField()),
                        ("upstream_ms", models.IntegerField()),
                        ("client_request_id", models.TextField()),
                        ("end_user", models.TextField()),
                        ("call_id", models.UUIDField(null=True)),
                        ("part", models.IntegerField()),
                        ("received_at", models.DateTimeField()),
                    ],
                    options={
                        "db_table": "usage_event",
                        "indexes": [models.Index(fields=["organization", "ts"], name="usage_event_by_org")],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="UsageHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("organization", models.UUIDField()),
                ("hour", models.DateTimeField()),
                ("events", models.BigIntegerField()),
                ("calls", models.BigIntegerField()),
                ("admitted", models.BigIntegerField()),
                ("bytes_in", models.BigIntegerField()),
                ("bytes_out", models.BigIntegerField()),
                ("cached_bytes", models.BigIntegerField()),
                ("units", models.JSONField()),
                ("project", models.UUIDField(null=True)),
                ("key", models.UUIDField()),
                ("subscription", models.UUIDField(null=True)),
                ("period_id", models.UUIDField(null=True)),
                ("api", models.UUIDField(null=True)),
                ("operation", models.TextField()),
                ("status_class", models.SmallIntegerField()),
                ("test", models.BooleanField()),
                ("billable", models.BigIntegerField()),
                ("spent", models.BigIntegerField()),
                ("accepted", models.BigIntegerField()),
                ("latency_ms", models.BigIntegerField()),
                ("upstream_ms", models.BigIntegerField()),
                ("latency", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
            ],
            options={
                "db_table": "usage_hour",
                "constraints": [
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
                ],
            },
        ),
        migrations.RunSQL(UNITS, DROP_UNITS),
        migrations.RunSQL(ROOM_FOR_UPDATES, migrations.RunSQL.noop),
    ]
