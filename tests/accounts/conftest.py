"""Two tenants, and a directory that only remembers what it was told."""

import pytest

from tests.accounts import world

PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"


@pytest.fixture(autouse=True)
def _surroundings(settings):
    settings.OUTBOX_HANDLERS = {"directory": "tests.accounts.world.take"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": PLAIN}}  # nothing is collected for tests
    world.told.clear()


@pytest.fixture
def acme(db):
    return world.tenant("Acme", "alice@acme.example")


@pytest.fixture
def evil(db):
    return world.tenant("Evil", "mallory@evil.example")
