"""Pages without collected static files, fast passwords, mails in memory, and a directory that remembers."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis
from django.test import Client

from tests.marketplace import shop as shops
from tests.portal import browser, shelf
from tests.portal.upstream import Upstream
from usage.models import Producer


@pytest.fixture(autouse=True)
def _plain(settings) -> Iterator[None]:
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns of a folder that is not there
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.OUTBOX_HANDLERS = {"directory": "tests.marketplace.shop.take"}
    shops.told.clear()
    yield
    forget_counts(settings.REDIS_URL)


def forget_counts(url: str) -> None:
    """Empty Django's cache, and no more: its own clear() would flush the directory and the counters beside it."""
    with redis.Redis.from_url(url) as client:
        for name in client.scan_iter("tg:cache:*"):
            client.delete(name)


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
    forget_counts(settings.REDIS_URL)


@pytest.fixture
def upstream(settings, tmp_path) -> Iterator[Upstream]:
    """The upstream that the sandbox and the live environment of `open_shop` lead to, which the gateway may reach.

    A journal folder of its own: an organization as young as this Redis is known to have called nothing only where
    no gateway ever ran.
    """
    with Upstream() as server:
        reached = frozenset({server.address})
        settings.GATEWAY = replace(settings.GATEWAY, upstream_allow=reached, journal_dir=tmp_path / "journal")
        yield server


@pytest.fixture
def sandbox(db, upstream) -> shops.Shop:
    """A shop whose visitors' calls arrive: those are not counted, so they need neither directory nor counters."""
    return shelf.open_shop(base_url=f"http://{upstream.address}")


@pytest.fixture
def running(transactional_db, settings, upstream) -> shops.Shop:
    """A shop whose calls arrive: the directory and the counters are the real ones."""
    settings.OUTBOX_HANDLERS = {"directory": "marketplace.publish.publish_entry"}
    return shelf.open_shop(base_url=f"http://{upstream.address}")
