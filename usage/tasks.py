"""Celery's doors into usage: each may run in several workers at once, and be killed at any line."""

import logging
from time import monotonic

from celery import shared_task
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from redis import Redis, RedisError

from gateway.public import connect
from usage import consumer, partitions, rebuild
from usage.intake import Busy

DRAIN_S = 5.0
log = logging.getLogger(__name__)


@shared_task
def consume_usage() -> None:
    """Take in the usage stream until it is empty, or for about five seconds."""
    stream = _stream()
    until = monotonic() + DRAIN_S
    try:
        consumer.publish_committed(stream, at=timezone.now())
        while monotonic() < until and consumer.consume(stream, at=timezone.now()):
            pass
    except Busy:
        return  # the other one goes on until it is empty
    except (RedisError, OperationalError) as error:
        log.warning("usage: the stream waits: %s: %s", type(error).__name__, error)


@shared_task
def keep_partitions() -> None:
    """Make the partitions of the months around now."""
    for name in partitions.ensure_around(timezone.now()):
        log.info("usage: made partition %s", name)


@shared_task
def rebuild_counters() -> None:
    """Bring counters into force that calls wait for, and give back what dead workers held."""
    try:
        rebuild.rebuild_waiting()
    except (RedisError, OperationalError) as error:
        log.warning("usage: counters wait: %s: %s", type(error).__name__, error)


def _stream() -> Redis:
    return connect(settings.GATEWAY.stream_url, timeout_s=DRAIN_S)
