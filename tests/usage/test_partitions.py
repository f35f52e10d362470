from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from kit.ids import uuid7
from tests.usage.journal import NOW, ms
from usage import partitions

pytestmark = pytest.mark.django_db

INSERT = """
    INSERT INTO usage_event (event_id, ts, received_at, seq, bytes_in, bytes_out, latency_ms, upstream_ms, count, part,
        status, billable, accepted, cached, test, console, organization, key, gateway, worker, boot_id, version,
        operation, method, problem, client_request_id, end_user, units, dimensions)
    VALUES (%(id)s, %(ts)s, now(), 1, 0, 0, 1, 1, 1, 0, 200, true, true, false, false, false, %(org)s, %(org)s,
        'g', 'w', 'b', 'v1', 'op', 'GET', '', '', '', '{}', '{}')"""


def insert(event_id: object, ts: datetime) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, {"id": str(event_id), "ts": ts, "org": str(uuid7())})


def test_a_partition_is_made_once():
    assert partitions.ensure([NOW, NOW]) == ["usage_event_2026_03"]
    assert partitions.ensure([NOW]) == []


def test_the_months_around_now_are_made_over_the_years_end():
    made = partitions.ensure_around(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    assert made == [
        f"usage_event_{month}" for month in ("2026_09", "2026_10", "2026_11", "2026_12", "2027_01", "2027_02")
    ]


def test_both_sides_of_a_month_boundary_find_their_partition():
    last, first = datetime(2026, 3, 31, 23, 59, 59, 999_000, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    partitions.ensure([last, first])
    for at in (last, first):
        insert(uuid7(ms(at)), at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM usage_event ORDER BY ts")
        assert [name for (name,) in cursor.fetchall()] == ["usage_event_2026_03", "usage_event_2026_04"]


@pytest.mark.parametrize(
    ("event_id", "ts"),
    [
        ("3f0f6e1e-6d0b-4c39-9c0a-9d6f0f3b7a51", NOW),  # version 4
        (uuid7(ms(NOW)), NOW.replace(microsecond=1000)),
        (uuid7(ms(NOW) + 1), NOW),
        (uuid7(ms(NOW)), NOW.replace(microsecond=1)),
    ],
)
def test_the_database_refuses_an_id_that_is_not_the_instants(event_id, ts):
    partitions.ensure([NOW])
    with pytest.raises(IntegrityError, match="usage_event_ts_is_the_ids"):
        insert(event_id, ts)


def test_the_same_id_inserts_once():
    partitions.ensure([NOW])
    event_id = uuid7(ms(NOW))
    insert(event_id, NOW)
    with pytest.raises(IntegrityError, match="pkey"):
        insert(event_id, NOW)
