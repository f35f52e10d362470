"""`manage.py up` as a stranger starts it: what it says, what it survives, what it leaves behind."""

import os
import re
import secrets
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from config.local.processes import alive
from config.local.roles import STAGES
from tests.product import Product, request, running

pytestmark = pytest.mark.whole

ROLES = {"gateway", *(role for stage in STAGES for role in stage)}


@pytest.fixture(scope="module")
def own() -> Iterator[Product]:
    """A product of this module's own, to be stopped and started at will."""
    yield from running("--gateway-workers", "2", "--with-echo")


def all_pids(product: Product) -> set[int]:
    return {pid for pids in product.data["pids"].values() for pid in pids}


def is_gone(pids: set[int]) -> bool:
    return not any(map(alive, pids))


# --- what it says ---


def test_the_json_file_says_all_a_program_needs(product: Product) -> None:
    told = product.data
    assert set(told) == {
        *("portal", "gateway", "gateway_admin", "database_url", "redis_url", "home", "logs", "pids", "demo", "echo"),
    }
    assert told["gateway_admin"] is None
    assert set(told["pids"]) == set(told["logs"]) == ROLES
    assert len(told["pids"]["gateway"]) == 4
    assert all(map(alive, all_pids(product)))
    assert all(Path(path).exists() for path in told["logs"].values())
    assert stat.S_IMODE(product.file.stat().st_mode) == 0o600
    assert set(told["demo"]) >= {"api", "path", "key_live", "key_test", "admin", "developer", "provider", "other"}
    assert set(told["echo"]) == {"url", "api", "keys", "key_ids"}


def test_everything_answers(product: Product) -> None:
    demo, echo = product.data["demo"], product.data["echo"]
    for key in (demo["key_live"], demo["key_test"]):
        answer = product.call(f"/{demo['api']}{demo['path']}", key)
        assert answer.status == 200, answer.text
        assert answer.body["code"] == "NP"
    assert {name: product.call("/echo/x", key).status for name, key in echo["keys"].items()} == dict.fromkeys(
        echo["keys"], 200
    )
    assert product.call(f"/{demo['api']}{demo['path']}").status == 401
    for who in ("developer", "provider", "other"):
        assert product.api("GET", "/api/v1/me", who=who).body["organization"]["id"] == demo[who]["org"]


def test_the_stores_open_to_the_urls(product: Product) -> None:
    assert int(product.rows("select count(*) from marketplace_api")[0][0]) == 2
    with redis.Redis.from_url(product.data["redis_url"]) as client:
        assert client.ping()


def test_the_console_says_where_to_go(product: Product) -> None:
    said = product.output.read_text()
    assert f"Portal   {product.portal}/" in said
    assert re.search(r"Try +curl -H 'X-API-Key: tg_test_\w+' '" + re.escape(product.gateway), said)
    assert "tg_live_" not in said


def test_debug_is_off_and_secrets_are_private(product: Product) -> None:
    page = request(product.portal, "GET", "/nothing-here/")
    assert (page.status, "Traceback" in page.text) == (404, False)
    assert (
        product.manage(
            "shell", "-v", "0", "-c", "from django.conf import settings; print(settings.DEBUG)"
        ).stdout.strip()
        == "False"
    )
    readable = [path for path in product.home.glob("*.json") if path.stat().st_mode & 0o077]
    assert not readable


def test_other_commands_find_what_runs(product: Product) -> None:
    done = product.manage(
        "shell", "-v", "0", "-c", "from django.conf import settings as s; print(s.PORTAL_URL, s.DATABASE_URL)"
    )
    assert done.stdout.split() == [product.portal, product.data["database_url"]], done.stderr
    assert product.manage("check").returncode == 0
    listed = product.manage("help").stdout
    assert {"up", "gateway", "prepare", "seed_demo"} <= set(listed.split())


def test_a_home_runs_once(product: Product) -> None:
    done = product.manage("up", "--home", str(product.home))
    assert done.returncode == 1
    assert "already runs in" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_refused(product: Product, tmp_path: Path) -> None:
    port = str(urlsplit(product.portal).port)
    done = product.manage("up", "--home", str(tmp_path / "home"), "--portal-port", port)
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr


# --- what it survives ---


@pytest.mark.parametrize("role", sorted(ROLES))
def test_whoever_dies_comes_back(own: Product, role: str) -> None:
    before = own.pids(role)
    own.kill(role)
    own.wait_back(role)
    assert set(own.pids(role)) != set(before)
    demo = own.data["demo"]
    own.wait_until(
        lambda: own.call(f"/{demo['api']}{demo['path']}", demo["key_test"]).status == 200, "calls are answered"
    )
    own.wait_until(lambda: own.api("GET", "/api/v1/me").status == 200, "the portal answers")


# --- what it leaves behind ---


def test_stops_in_order_and_starts_again_with_everything_it_had(own: Product) -> None:
    before, pids = own.data, all_pids(own)
    assert own.stop() == 0
    assert is_gone(pids), "something was left running"
    assert not (own.home / "stores.json").exists()
    assert "No stores" in own.manage("check").stderr

    own.start()
    after = own.data
    assert after["demo"] == before["demo"]
    assert after["echo"]["keys"] == before["echo"]["keys"]
    assert after["database_url"] == before["database_url"]
    assert after["redis_url"] == before["redis_url"]
    assert own.call(f"/{after['demo']['api']}{after['demo']['path']}", after["demo"]["key_live"]).status == 200


def test_a_supervisor_that_is_killed_leaves_nothing_and_starts_again(own: Product) -> None:
    pids = all_pids(own)
    assert own.process
    own.process.send_signal(signal.SIGKILL)
    own.process.wait()
    own.start()
    assert is_gone(pids - all_pids(own)), "something of the killed one still runs"
    demo = own.data["demo"]
    assert own.call(f"/{demo['api']}{demo['path']}", demo["key_live"]).status == 200


def test_a_second_ctrl_c_hurries(own: Product) -> None:
    pids = all_pids(own)
    assert own.process
    own.process.send_signal(signal.SIGINT)
    time.sleep(1.1)  # sooner it would count as the same one, passed on by a terminal and by make
    own.process.send_signal(signal.SIGINT)
    assert own.process.wait(15) == 0
    assert is_gone(pids)
    own.start()


# --- other ways to start ---


@pytest.fixture
def external() -> Iterator[dict[str, str]]:
    """Stores of one's own: this test run's servers, with a database and a Redis database to itself."""
    url = os.environ["DATABASE_URL"]
    name = f"own_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f'create database "{name}"')
    place = urlsplit(url)
    yield {
        "DATABASE_URL": place._replace(path=f"/{name}").geturl(),
        "REDIS_URL": os.environ["REDIS_URL"].removesuffix("/0") + "/9",
    }
    with redis.Redis.from_url(os.environ["REDIS_URL"].removesuffix("/0") + "/9") as client:
        client.flushdb()
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f'drop database "{name}" with (force)')


OWN_SECRETS = {
    name: secrets.token_urlsafe(40) for name in ("SECRET_KEY", "TOLLGATE_KEY_PEPPERS", "TOLLGATE_ENCRYPTION_KEY")
}


def test_with_stores_of_ones_own_and_without_the_demo(external: dict[str, str]) -> None:
    for product in running("--no-demo", "--gateway-workers", "1", environment=external | OWN_SECRETS):
        told: Any = product.data
        assert told["demo"] is None
        assert told["echo"] is None
        assert set(told["pids"]) == ROLES - {"postgres", "valkey", "demo", "echo"}
        assert told["database_url"] == external["DATABASE_URL"]
        assert not (product.home / "valkey").exists()
        assert product.call("/world/v1/countries").body["code"] == "api_unknown"


def test_own_stores_without_own_secrets_are_refused(external: dict[str, str], tmp_path: Path) -> None:
    product = Product(tmp_path / "home", environment=external)
    done = product.manage("up", "--home", str(product.home))
    assert done.returncode == 1
    assert "own DATABASE_URL is given, but no TOLLGATE_KEY_PEPPERS" in done.stderr
