"""Gateway tests speak to a real Valkey: the run's own, emptied before each test, or one they may kill.

Hypothesis is small by default; `HYPOTHESIS_PROFILE=full` runs the numbers that the proof asks for.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from redis import Redis

from gateway.settings import GatewaySettings
from gateway.store import connect
from tests.gateway.stores import Mortal, settings_for

_LOUD = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much]}
settings.register_profile("quick", max_examples=150, stateful_step_count=40, **_LOUD)
settings.register_profile("full", max_examples=10_000, stateful_step_count=60, **_LOUD)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


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
