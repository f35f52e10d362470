"""Fill an empty Tollgate with a provider, a developer, somebody else, and something to call.

Only public actions are used, each safe to repeat: what is there stays, what is missing is made, and a secret
whose plaintext is lost is issued anew. What a program needs to know is in {home}/demo.json (0600), and the
developer's test key by itself in {home}/demo.key.
"""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import public as accounts
from demo import people, shelf
from demo.people import ACTOR, PEOPLE
from marketplace import public as marketplace
from marketplace.public import KeyView

Notes = dict[str, Any]
FIRST_CALL = "/v1/countries/NP"


def seed(home: Path, *, world: str, echo: str, at: datetime) -> bool:
    """Make the demo complete; return whether anything was to do.

    `world`, `echo`: the upstreams' addresses; without `echo` there is no echo API.
    """
    notes = _read(home)
    wanted = shelf.fingerprint(world, echo)
    if notes.get("seeded") == wanted and people.are_settled():
        return False
    told: Notes = {person.role: people.settle(person, _of(notes, person.role), at=at) for person in PEOPLE}
    provider, developer = UUID(told["provider"]["org"]), UUID(told["developer"]["org"])
    shelf.publish(shelf.WORLD, provider, upstream=world, at=at)
    keys = _world_keys(developer, notes.get("demo") or {}, at=at)
    notes["demo"] = {"api": shelf.WORLD.slug, "path": FIRST_CALL, **keys, **told}
    if echo:
        shelf.publish(shelf.ECHO, provider, upstream=echo, at=at)
        notes["echo"] = {"api": shelf.ECHO.slug, **_echo_keys(developer, notes.get("echo") or {}, at=at)}
    notes["seeded"] = wanted
    _write(home / "demo.key", f"{keys['key_test']}\n")
    _write(home / "demo.json", json.dumps(notes, indent=1) + "\n")
    return True


@transaction.atomic
def _world_keys(org: UUID, known: Notes, *, at: datetime) -> Notes:
    """The developer's free subscription and two keys, in the Default project."""
    project = accounts.projects(org)[0].id
    person = next(person for person in PEOPLE if person.role == "developer")
    marketplace.subscribe_free(
        org, project_id=project, api_slug=shelf.WORLD.slug, user_id=people.user_id(person), actor=ACTOR, at=at
    )
    test = _key(org, project, "Test key", "test", known.get("key_test", ""), at=at)
    live = _key(org, project, "Live key", "live", known.get("key_live", ""), at=at)
    return {"key_test": test[1], "key_live": live[1]}


@transaction.atomic
def _echo_keys(org: UUID, known: Notes, *, at: datetime) -> Notes:
    """One project, subscription and live key for each of the echo API's plans."""
    secrets: dict[str, str] = {}
    ids: dict[str, str] = {}
    for offer in shelf.ECHO.offers:
        name = offer.slug.removeprefix("echo-").replace("-", "_")
        project = people.project(org, name=f"Echo {offer.name}", at=at).id
        marketplace.subscribe_free(
            org,
            project_id=project,
            api_slug=shelf.ECHO.slug,
            plan_slug=offer.slug,
            user_id=None,  # given by the operator: a person may hold only one free plan of an API
            actor=ACTOR,
            at=at,
        )
        key, secrets[name] = _key(org, project, offer.name, "live", known.get("keys", {}).get(name, ""), at=at)
        ids[name] = str(key.id)
    return {"keys": secrets, "key_ids": ids}


def _key(org: UUID, project: UUID, name: str, kind: Any, secret: str, *, at: datetime) -> tuple[KeyView, str]:
    """A working key of that name whose secret is known: last time's, or a new one."""
    for key in marketplace.keys(org, project=project):
        if key.kind == kind and key.name == name and key.works(at) and secret.endswith(key.last4) and secret:
            return key, secret
    return marketplace.create_key(org, project_id=project, name=name, kind=kind, actor=ACTOR, at=at)


def _of(notes: Notes, role: str) -> Notes:
    return dict((notes.get("demo") or {}).get(role) or {})


def _read(home: Path) -> Notes:
    try:
        return dict(json.loads((home / "demo.json").read_text()))
    except FileNotFoundError:
        return {}


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
