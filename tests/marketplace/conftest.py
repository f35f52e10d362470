"""Two tenants, a shop, and a directory that only remembers what it was told."""

import pytest

from tests.marketplace import shop as shops


@pytest.fixture(autouse=True)
def _house(settings, request):
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing is collected for tests
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    if "directory" not in request.fixturenames:  # those tests use the real one
        settings.OUTBOX_HANDLERS = {"directory": "tests.marketplace.shop.take"}
    shops.told.clear()


@pytest.fixture
def acme(db):
    return shops.tenant("Acme", zone="Europe/Berlin")


@pytest.fixture
def evil(db):
    return shops.tenant("Evil")


@pytest.fixture
def shop(db):
    return shops.open_shop()
