"""Celery's doors: they do their work, and what is away is waited for, not raised."""

import dataclasses

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from redis import Redis

from gateway import names
from tests.usage.journal import beat, line, ship
from usage.intake import LOCK
from usage.models import UsageEvent
from usage.partitions import ensure_around
from usage.tasks import consume_usage, keep_partitions, rebuild_counters

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def away(settings):
    """Redis settings that lead nowhere."""
    nowhere = "redis://127.0.0.1:1/0"
    settings.GATEWAY = dataclasses.replace(settings.GATEWAY, redis_url=nowhere, stream_url=nowhere)


def test_the_stream_is_taken_in_until_it_is_empty(stream):
    for n in range(1, 30):
        ship(stream, [beat(0), line(n, at=timezone.now())])
    consume_usage()
    assert UsageEvent.objects.count() == 29
    assert stream.xlen(names.USAGE_STREAM) == 0


def test_another_aggregator_at_work_is_left_alone(stream, another_connection):
    ship(stream, [line(1, at=timezone.now())])
    another_connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    consume_usage()
    assert UsageEvent.objects.count() == 0
    another_connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    consume_usage()
    assert UsageEvent.objects.count() == 1


def test_partitions_are_made_ahead():
    keep_partitions()
    assert ensure_around(timezone.now()) == []


def test_waiting_counters_are_rebuilt(settings, tmp_path):
    settings.GATEWAY = dataclasses.replace(settings.GATEWAY, journal_dir=tmp_path / "journal")
    with Redis.from_url(django_settings.GATEWAY.redis_url) as client:
        client.flushdb()
        rebuild_counters()
        assert client.hget(names.RUN, "generation")


@pytest.mark.parametrize("task", [consume_usage, rebuild_counters])
def test_a_redis_that_is_away_is_waited_for(away, caplog, task):
    task()
    assert "wait" in caplog.text
