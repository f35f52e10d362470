"""Every test run starts its own PostgreSQL and Valkey in a temporary home, and nothing else.

pytest-django reads the settings after this file has set the environment (which is why no
DJANGO_SETTINGS_MODULE stands in pyproject.toml); that environment is all that tells tests from production.
"""

import atexit
import os
import re
import secrets
import shutil
import tempfile
from pathlib import Path

import django
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from config.local.postgres import Postgres
from config.local.store import start, stop
from config.local.valkey import Valkey

pytest_plugins = ["tests.product"]

HOME = Path(tempfile.mkdtemp(prefix="tollgate-test-"))
HOME.chmod(0o755)  # PostgreSQL may run under another uid when the tests run as root


def _start_stores() -> None:
    atexit.register(shutil.rmtree, HOME, ignore_errors=True)  # registered first: runs last
    log = (HOME / "stores.log").open("wb")
    stores = (Postgres(HOME, durable=False), Valkey(HOME))
    for store in stores:
        child = start(store, log=log)
        atexit.register(stop, store, child)
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "TOLLGATE_HOME": str(HOME),
            "DATABASE_URL": stores[0].url,
            "REDIS_URL": stores[1].url,
            "SECRET_KEY": secrets.token_urlsafe(40),
            "TOLLGATE_KEY_PEPPERS": secrets.token_urlsafe(32),
            "TOLLGATE_ENCRYPTION_KEY": secrets.token_urlsafe(32),
            "TOLLGATE_RATELIMIT": "0",
            "TOLLGATE_ADMIN_MFA": "0",
        }
    )


_start_stores()
django.setup()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let tests with real transactions empty the tables after them: outside tests, nobody empties the audit log."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("alter table accounts_auditevent disable trigger audit_table_final")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the processes of `-n` without our settings, or they would read them before their own stores stand."""
    if getattr(session.config.option, "numprocesses", None):
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)


# Modules that take seconds each, most of them on real servers; `make quick` leaves them out, `make test` runs them.
SLOW = {
    *("accounts.test_admin", "accounts.test_rest_fuzz", "accounts.test_rest_hostile", "config.test_supervisor"),
    *("demo.test_seed", "gateway.test_counter_channel", "gateway.test_directory_follower"),
    *("gateway.test_proxy_streams", "kit.test_idempotency", "marketplace.test_admin", "marketplace.test_apis"),
    *("marketplace.test_catalogue", "marketplace.test_plans", "marketplace.test_publish", "marketplace.test_rest"),
    *("marketplace.test_rest_hostile", "portal.test_account", "portal.test_failures", "portal.test_guides"),
    *("portal.test_keys", "portal.test_next", "portal.test_run", "portal.test_usage", "usage.test_intake"),
    *("usage.test_intake_hostile", "usage.test_rebuild", "usage.test_rest", "portal.test_pages"),
    *("kit.test_outbox", "marketplace.test_subscriptions", "usage.test_queries"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.partition(".py")[0].removeprefix("tests/").replace("/", ".") in SLOW:
            item.add_marker(pytest.mark.slow)


_MADE_ANEW = re.compile(r"tg_(live|test)_\w{9}|v\d\.\d+\.")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a parameter that is random in each process by its argument: names must agree between processes."""
    return argname if isinstance(val, str) and _MADE_ANEW.search(val) else None
