"""An empty usage stream and empty usage tables."""

from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from redis import Redis

from gateway.names import COMMITTED, SHIPPED, USAGE_STREAM

TABLES = "usage_event, usage_bill, usage_hour, usage_producer, usage_quarantine, usage_dead_letter"


def empty_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES}")


@pytest.fixture
def stream() -> Iterator[Redis]:
    with Redis.from_url(settings.GATEWAY.stream_url) as client:
        client.delete(USAGE_STREAM, COMMITTED, SHIPPED)
        yield client
        client.delete(USAGE_STREAM, COMMITTED, SHIPPED)


@pytest.fixture
def another_connection() -> Iterator[psycopg.Connection]:
    """The same database as another process sees it."""
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}, autocommit=True) as other:
        yield other
