"""What `manage.py up` understands, and what it refuses in one sentence."""

import argparse
import socket
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from config.local.errors import StartError
from config.local.external import check_database, check_own_secrets, check_redis
from config.local.home import SECRETS, Home
from config.local.plan import Plan, add_arguments, plan
from config.local.ports import LOOPBACK, free_port


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def worked_out(home: Home, *argv: str) -> Plan:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return plan(parser.parse_args(["--portal-port", "0", "--gateway-port", "0", *argv]), home)


def test_the_usual(home: Home) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    options = parser.parse_args([])
    assert (options.portal_port, options.gateway_port, options.gateway_workers, options.door) == (8000, 8080, 2, "drf")


def test_any_port_is_a_free_one(home: Home) -> None:
    found = worked_out(home)
    assert found.portal != found.gateway
    assert found.demo_port
    assert found.echo_port is None


def test_the_settings_that_follow(home: Home) -> None:
    found = worked_out(home, "--with-echo")
    settings = found.settings(
        {"TOLLGATE_UPSTREAM_ALLOW": "10.0.0.1:80", "TOLLGATE_PORTAL_URL": "https://portal.example"}
    )
    assert settings["TOLLGATE_PORTAL_URL"] == "https://portal.example"
    assert settings["TOLLGATE_GATEWAY_URL"] == found.gateway
    assert (
        settings["TOLLGATE_UPSTREAM_ALLOW"] == f"10.0.0.1:80,{LOOPBACK}:{found.demo_port},{LOOPBACK}:{found.echo_port}"
    )
    assert settings["TOLLGATE_DEMO_URL"] == f"http://{LOOPBACK}:{found.demo_port}"
    assert worked_out(home, "--no-demo").settings({})["TOLLGATE_DEMO_URL"] == ""


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--door", "edge"], "edge door is not part of this release"),
        (["--gateway-workers", "0"], "choose 1 to 64"),
        (["--portal-port", "70000"], "--portal-port is 70000"),
        (["--no-demo", "--with-echo"], "leave out --no-demo"),
        (["--json", "/no/such/folder/up.json"], "There is no folder /no/such/folder"),
    ],
)
def test_refused(home: Home, argv: list[str], sentence: str) -> None:
    with pytest.raises(StartError, match=sentence):
        worked_out(home, *argv)


def test_a_port_that_is_taken_is_said_with_the_way_out(home: Home) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StartError, match=rf"port {port} is taken: .*--gateway-port \(0 = any\)"):
            worked_out(home, "--gateway-port", str(port))


def test_own_stores_need_own_secrets() -> None:
    own = {"DATABASE_URL": "postgresql://a@/b"}
    with pytest.raises(StartError, match="own DATABASE_URL is given, but no TOLLGATE_KEY_PEPPERS"):
        check_own_secrets(own)
    check_own_secrets(own | dict.fromkeys(SECRETS, "x"))
    check_own_secrets(own | {f"{name}_FILE": "/run/x" for name in SECRETS})
    check_own_secrets({})


def test_stores_that_do_not_answer() -> None:
    port = free_port()
    with pytest.raises(StartError, match="DATABASE_URL does not lead to a PostgreSQL"):
        check_database(f"postgresql://a@{LOOPBACK}:{port}/b")
    with pytest.raises(StartError, match="REDIS_URL does not lead to a Redis"):
        check_redis(f"redis://{LOOPBACK}:{port}/0")
    with pytest.raises(StartError, match="REDIS_URL does not lead to a Redis"):
        check_redis("nonsense://")


def test_stores_that_will_do(settings: Settings) -> None:
    check_database(settings.DATABASE_URL)
    check_redis(settings.REDIS_URL)


def test_a_database_that_is_too_old(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.local.external.OLDEST_POSTGRES", 99)
    with pytest.raises(StartError, match="and 99 is the oldest that will do"):
        check_database(settings.DATABASE_URL)
