"""The DRF door in a real server process, in front of a real Valkey and a scripted upstream."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from config.local.announce import VARIABLE, announced
from config.local.ports import free_port
from gateway import records
from gateway.directory_store import publish, publish_all
from gateway.rebuild import open_organization, open_run
from gateway.records import Grant, Limit, Record
from gateway.settings import GatewaySettings
from gateway.store import connect
from kit.ids import uuid7
from kit.secrets import key_digests, new_api_key
from tests.gateway.fake_engine import pointed_at
from tests.gateway.fault_upstream import FaultUpstream
from tests.gateway.playbook import a_grant, an_api
from tests.gateway.stores import Mortal, settings_for, until

ROOT = Path(__file__).parents[2]
PEPPER = "pepper-one"
TIMEOUTS = {"first_byte_s": 0.5, "between_bytes_s": 1.0}
HOUR_MS = 3_600_000


@dataclass
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


@dataclass
class Caller:
    """A key with its own project and subscription, so that tests do not meet in a counter."""

    secret: str
    grant: Grant


@dataclass
class Door:
    port: int
    home: Path
    settings: GatewaySettings
    upstream: FaultUpstream
    process: subprocess.Popen[bytes]
    caller: Caller = field(init=False)

    @property
    def pid(self) -> int:
        return announced(self.home / "door.pid") or 0

    # --- the directory ---

    def new_caller(self, *limits: Limit, **key: Any) -> Caller:
        """Publish a new organization with one key; returns once the door has it."""
        secret, org, now_ms = new_api_key(key.get("kind", "live")), str(uuid7()), int(time.time() * 1000)
        ids = {name: str(uuid7()) for name in ("key", "project", "subscription", "plan_version")}
        grant = a_grant(
            id=ids["key"], organization=org, project=ids["project"], digests=key_digests(secret, [PEPPER]), **key
        )
        grant.organization = records.Organization(org, 1)
        grant.subscription = msgspec.structs.replace(
            grant.subscription,
            id=ids["subscription"],
            organization=org,
            project=ids["project"],
            plan_version=ids["plan_version"],
            periods=(records.Period(str(uuid7()), now_ms - HOUR_MS, now_ms + HOUR_MS),),
        )
        grant.plan_version = records.PlanVersion(ids["plan_version"], 1, 1, "free", limits)
        self.publish(grant.organization, grant.plan_version, grant.subscription, grant.key)
        open_organization(connect(self.settings.redis_url, timeout_s=2), org)
        caller = Caller(secret, grant)
        until(lambda: self.get("/world/v9/known", caller).status != 401, within=5)
        return caller

    def publish(self, *changed: Record) -> None:
        publish(self.settings, changed)

    # --- calls ---

    def get(self, path: str, caller: Caller | None = None, **headers: str) -> Reply:
        return self.call("GET", path, caller, headers=headers)

    def call(
        self,
        method: str,
        path: str,
        caller: Caller | None = None,
        *,
        headers: dict[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
        key: str | None = None,
    ) -> Reply:
        """One call on a connection of its own."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        secret = key if key is not None else (caller or self.caller).secret
        named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        link.request(method, path, body=body, headers=({"X-API-Key": secret} if secret else {}) | named)
        reply = link.getresponse()
        got = Reply(reply.status, reply.getheaders(), reply.read())
        link.close()
        return got

    def send(self, text: str, *, key: bool = True) -> socket.socket:
        """Open a connection and send a head as it is written (`\\n` for line ends)."""
        link = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        head = text.strip() + (f"\nX-API-Key: {self.caller.secret}" if key else "") + "\nHost: gateway.example\n\n"
        link.sendall(head.replace("\n", "\r\n").encode("latin-1"))
        return link

    def raw(self, text: str, *, key: bool = True) -> bytes:
        """Send a head and read until the server is done or cuts."""
        with self.send(text + "\nConnection: close", key=key) as link:
            return b"".join(iter(lambda: link.recv(65536), b""))

    # --- what it wrote down ---

    def events(self, caller: Caller | None = None) -> list[dict[str, Any]]:
        key = (caller or self.caller).grant.key.id
        lines = [line for path in (self.home / "journal").glob("*.jsonl") for line in path.read_text().splitlines()]
        return [event for event in map(json.loads, lines) if event.get("key") == key and event["version"]]

    def event_of(self, request_id: str | None) -> dict[str, Any]:
        (event,) = [event for event in self.events() if event["event_id"] == request_id]
        return event

    def last_event(self, count: int) -> dict[str, Any]:
        """Wait until there are `count` events in all, and return the last one."""
        until(lambda: len(self.events()) >= count, within=5)
        events = self.events()
        assert len(events) == count
        return events[-1]

    def memory_peak_kb(self) -> int:
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())[1])


@contextmanager
def a_door(home: Path, application: str = "gateway.proxy.asgi:application") -> Iterator[Door]:
    """Start Valkey, an upstream, and one server process; stop them in order."""
    store = Mortal(home)
    with FaultUpstream() as upstream:
        settings = replace(settings_for(store.url, home), upstream_allow=frozenset({upstream.place}))
        api = pointed_at(an_api(pass_undeclared=True), upstream.url, **TIMEOUTS)
        open_run(connect(store.url, timeout_s=2))
        publish_all(settings, [api])
        port = free_port()
        with (home / "door.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "config.local.serve", application, "--port", str(port), "--threads", "32"],
                cwd=ROOT,
                env=_environment(home, settings),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        door = Door(port, home, settings, upstream, process)
        try:
            until(lambda: _answers(port), within=20)
            door.caller = door.new_caller()
            yield door
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)
            store.close()


def _environment(home: Path, settings: GatewaySettings) -> dict[str, str]:
    return os.environ | {
        VARIABLE: str(home / "door.pid"),
        "TOLLGATE_HOME": str(home),
        "SECRET_KEY": "s" * 40,
        "TOLLGATE_KEY_PEPPERS": PEPPER,
        "TOLLGATE_ENCRYPTION_KEY": settings.encryption_key,
        "REDIS_URL": settings.redis_url,
        "TOLLGATE_UPSTREAM_ALLOW": ",".join(settings.upstream_allow),
    }


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as link:
            link.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
            return link.recv(12) == b"HTTP/1.1 404"
    except OSError:
        return False
