"""Gateway tests speak to a real Valkey: the run's own, emptied before each test, or one they may kill."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from gateway.settings import GatewaySettings
from gateway.store import connect
from tests.gateway.stores import Mortal, settings_for


@pytest.fixture
def redis() -> Redis:
    client = connect(os.environ["REDIS_URL"], timeout_s=2.0)
    client.flushall()
    return client


@pytest.fixture
def gateway_settings(redis: Redis, tmp_path: Path) -> GatewaySettings:
    return settings_for(os.environ["REDIS_URL"], tmp_path)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    server = Mortal(tmp_path)
    yield server
    server.close()
