"""The seed: complete, repeatable, and never surprised by what is there already."""

import dataclasses
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from pytest_django.fixtures import Settings

from accounts import public as accounts
from demo.seed import seed
from demo.shelf import ECHO, WORLD
from marketplace import public as marketplace

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
UPSTREAMS = {"world": "http://127.0.0.1:9001", "echo": "http://127.0.0.1:9002"}


@pytest.fixture(autouse=True)
def allowed(settings: Settings) -> None:
    allow = frozenset({"127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9003"})
    settings.GATEWAY = dataclasses.replace(settings.GATEWAY, upstream_allow=allow)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # Argon2 is slow on purpose


def seeded(home: Path, **more: str) -> Any:
    seed(home, at=AT, **(UPSTREAMS | more))
    return json.loads((home / "demo.json").read_text())


def test_tells_what_a_program_needs(tmp_path: Path) -> None:
    told = seeded(tmp_path)
    assert set(told["demo"]) == {
        *("api", "path", "key_live", "key_test", "admin", "developer", "provider", "other"),
    }
    assert set(told["demo"]["admin"]) == {"email", "password", "totp"}
    assert all(
        set(told["demo"][who]) == {"email", "password", "token", "org"} for who in ("developer", "provider", "other")
    )
    assert set(told["echo"]["keys"]) == set(told["echo"]["key_ids"])
    assert set(told["echo"]["keys"]) == {"open", "quota_1000", "rate_100", "soft", "fail_open"}
    assert (tmp_path / "demo.json").stat().st_mode & 0o077 == 0
    assert (tmp_path / "demo.key").read_text().strip() == told["demo"]["key_test"]


def test_people_can_sign_in_and_each_has_an_organization_of_their_own(tmp_path: Path) -> None:
    demo = seeded(tmp_path)["demo"]
    users = {
        who: authenticate(username=demo[who]["email"], password=demo[who]["password"])
        for who in ("admin", "developer", "provider", "other")
    }
    assert all(users.values())
    assert users["admin"].is_staff  # type: ignore[union-attr]
    assert not users["developer"].is_staff  # type: ignore[union-attr]
    assert len({demo[who]["org"] for who in ("developer", "provider", "other")}) == 3
    assert all(accounts.organization(demo[who]["org"]).verified for who in ("developer", "provider", "other"))


def test_world_is_on_the_shelf_with_its_three_plans(tmp_path: Path) -> None:
    seeded(tmp_path)
    world = marketplace.api("world")
    plans = {plan.slug: plan for plan in marketplace.plans(world.id)}
    assert list(plans) == ["world-free", "world-payg", "world-pro"]
    assert world.free_plan == "world-free"
    sentences = [price.sentence for price in plans["world-pro"].version.prices]  # type: ignore[union-attr]
    assert "10,000" in " ".join(sentences)
    assert "$0.01" in " ".join(sentences)
    assert world.versions[0].live
    assert world.versions[0].sandbox


def test_each_echo_key_lives_in_its_own_project_of_the_developer(tmp_path: Path) -> None:
    told = seeded(tmp_path)
    org = told["demo"]["developer"]["org"]
    keys = {name: marketplace.key(org, id=id) for name, id in told["echo"]["key_ids"].items()}
    assert len({key.project_id for key in keys.values()}) == len(ECHO.offers)
    held = {row.project_id: row for row in marketplace.subscriptions(org, at=AT)}
    limits = {
        name: [(limit.kind, limit.amount, limit.hard) for limit in held[key.project_id].version.limits]
        for name, key in keys.items()
    }
    assert limits == {
        "open": [],
        "quota_1000": [("quota", 1000, True)],
        "rate_100": [("bucket", 20, True)],
        "soft": [("quota", 1000, False)],
        "fail_open": [("bucket", 1000, False)],
    }


def test_again_changes_nothing(tmp_path: Path) -> None:
    first = seeded(tmp_path)
    assert seed(tmp_path, at=AT, **UPSTREAMS) is False
    (tmp_path / "demo.json").write_text(json.dumps(first | {"seeded": ""}))
    assert seeded(tmp_path) == first


def test_lost_notes_mean_new_secrets_for_the_same_people(tmp_path: Path) -> None:
    first = seeded(tmp_path)
    (tmp_path / "demo.json").unlink()
    second = seeded(tmp_path)
    assert second["demo"]["developer"]["org"] == first["demo"]["developer"]["org"]
    assert second["demo"]["key_live"] != first["demo"]["key_live"]
    assert authenticate(username=second["demo"]["admin"]["email"], password=second["demo"]["admin"]["password"])


def test_an_upstream_that_has_moved_is_followed(tmp_path: Path) -> None:
    seeded(tmp_path)
    seeded(tmp_path, world="http://127.0.0.1:9003")
    version = marketplace.api_record(WORLD.slug).versions[0]
    assert version.upstream.base_url == "http://127.0.0.1:9003"
    assert version.test_upstream
    assert version.test_upstream.base_url == "http://127.0.0.1:9003/test"


def test_a_key_that_was_revoked_is_replaced(tmp_path: Path) -> None:
    first = seeded(tmp_path)
    org, id = first["demo"]["developer"]["org"], first["echo"]["key_ids"]["open"]
    marketplace.revoke_key(org, id=id, actor=accounts.Actor("system", None, "test"), at=AT)
    (tmp_path / "demo.json").write_text(json.dumps(first | {"seeded": ""}))
    second = seeded(tmp_path)
    assert second["echo"]["keys"]["open"] != first["echo"]["keys"]["open"]
    assert second["echo"]["keys"]["soft"] == first["echo"]["keys"]["soft"]
    assert re.fullmatch(r"tg_live_\w{36}", second["echo"]["keys"]["open"])
