"""Two tenants, and a directory that only remembers what it was told."""

import pytest

from tests.accounts import world


@pytest.fixture(autouse=True)
def _directory(settings):
    settings.OUTBOX_HANDLERS = {"directory": "tests.accounts.world.take"}
    world.told.clear()


@pytest.fixture
def acme(db):
    return world.tenant("Acme", "alice@acme.example")


@pytest.fixture
def evil(db):
    return world.tenant("Evil", "mallory@evil.example")
