"""Pages without collected static files, fast passwords, mails in memory, and a directory that remembers."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from tests.marketplace import shop as shops
from tests.portal import browser, shelf
from usage.models import Producer


@pytest.fixture(autouse=True)
def _plain(settings) -> Iterator[None]:
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.OUTBOX_HANDLERS = {"directory": "tests.marketplace.shop.take"}
    shops.told.clear()
    yield
    cache.clear()


@pytest.fixture
def shop(db) -> shops.Shop:
    return shelf.open_shop()


@pytest.fixture
def member(shop) -> Client:
    """Signed up through the form, so with organization, keys and subscription."""
    now = {"started_at": shops.NOW, "last_beat_at": shops.NOW, "committed_clock": shops.NOW}
    Producer.objects.create(boot_id="one", gateway="local", worker="1", **now)  # a gateway has reported
    client = browser.visitor()
    assert browser.sign_up(client).status_code == 302
    return client


@pytest.fixture
def limits_on(settings) -> None:
    settings.RATELIMIT_ENABLE = True
    cache.clear()
