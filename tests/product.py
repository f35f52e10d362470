"""The whole product as its users and operators meet it: started by `manage.py up`, read from its JSON file.

`product` starts it once per test session and always stops it. Everything here goes through doors a stranger
has too: HTTP, the database URL, the process ids and log files of the JSON.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from config.local.processes import alive
from config.local.tether import tether

BASE_DIR = Path(__file__).resolve().parents[1]
PRODUCTS = {"product", "product_without_push", "own"}
START_S = 300
STOP_S = 60
RESTART_S = 90
GIVE = """
from uuid import UUID
from django.utils import timezone
from accounts.public import Actor, create_project
from kit.ids import uuid7
from marketplace.public import create_key, subscribe_free
org, about = UUID("{org}"), dict(actor=Actor("system", None, "test"), at=timezone.now())
project = create_project(org, name=f"given {{uuid7().hex[-12:]}}", **about).id
subscribe_free(org, project_id=project, api_slug="echo", plan_slug="{plan}", user_id=None, **about)
print(create_key(org, project_id=project, name="given", kind="live", **about)[1])
"""
# The test run's own stores and secrets are none of the product's business.
NOT_INHERITED = {"DATABASE_URL", "REDIS_URL", "REDIS_STREAM_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "EMAIL_URL"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The body as JSON; None if there is none."""
        return json.loads(self.text) if self.text else None


class Product:
    """One running Tollgate. `data` is its JSON file, read anew each time: restarts change process ids."""

    def __init__(self, home: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.file = home.with_name(f"{home.name}.json")
        self.output = home.with_name(f"{home.name}.out")
        self.arguments = arguments
        self.environment = _environment() | dict(environment or {})
        self.process: subprocess.Popen[bytes] | None = None
        self._killed: dict[str, set[int]] = {}

    # --- life ---

    def start(self) -> "Product":
        """Run `manage.py up` and return when it says that everything answers. Raises AssertionError with its output."""
        self.file.unlink(missing_ok=True)
        ports = ("--portal-port", "0", "--gateway-port", "0")
        command = [sys.executable, "manage.py", "up", "--home", str(self.home), "--json", str(self.file), *ports]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*command, *self.arguments],
                cwd=BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=tether(signal.SIGTERM),
            )
        give_up = time.monotonic() + START_S
        while not self.file.exists():
            assert self.process.poll() is None, f"it ended with status {self.process.returncode}:\n{self.said()}"
            assert time.monotonic() < give_up, f"it did not stand after {START_S} s:\n{self.said()}"
            time.sleep(0.05)
        return self

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C would; return its exit status."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()  # its children go with it
            raise AssertionError(f"it did not stop within {STOP_S} s:\n{self.said()}") from None

    def said(self) -> str:
        """What it has printed, and the end of each log."""
        logs = sorted((self.home / "logs").glob("*.log"))
        ends = (f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:]) for log in logs)
        return "\n".join((self.output.read_text(errors="replace"), *ends))

    # --- what runs ---

    @property
    def data(self) -> Any:
        return json.loads(self.file.read_text())

    @property
    def portal(self) -> str:
        return str(self.data["portal"])

    @property
    def gateway(self) -> str:
        return str(self.data["gateway"])

    def pids(self, role: str) -> list[int]:
        return list(self.data["pids"][role])

    def kill(self, role: str) -> list[int]:
        """kill -9 a role: one gateway process that answers calls, all processes of any other role."""
        pids = self.pids(role)[: 1 if role == "gateway" else None]
        self._killed[role] = set(pids)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pids

    def wait_back(self, role: str) -> None:
        """Wait until the role answers again with processes other than those killed last."""
        killed = self._killed.get(role, set())
        self.wait_until(
            lambda: bool(pids := self.pids(role)) and not killed & set(pids) and all(map(alive, pids)),
            f"{role} is back",
            within_s=RESTART_S,
        )

    def wait_until(self, condition: Callable[[], bool], what: str, within_s: float = 30) -> None:
        """Ask again and again; a store that is just coming back counts as "not yet"."""
        give_up = time.monotonic() + within_s
        while True:
            try:
                if condition():
                    return
            except (psycopg.OperationalError, redis.ConnectionError, ConnectionError):
                pass
            assert time.monotonic() < give_up, f"not within {within_s} s: {what}\n{self.said()}"
            time.sleep(0.1)

    # --- HTTP ---

    def call(self, target: str, key: str = "", method: str = "GET", **headers: str) -> Answer:
        """One call through the gateway on a connection of its own."""
        return request(self.gateway, method, target, headers=({"X-API-Key": key} if key else {}) | headers)

    def api(self, method: str, target: str, body: Any = None, *, who: str = "developer") -> Answer:
        """One call of the management REST API with the token of a demo person."""
        headers = {"Authorization": f"Bearer {self.data['demo'][who]['token']}"}
        return request(self.portal, method, target, headers=headers, body=body)

    def made(self, target: str, body: Any, *, who: str = "developer") -> Any:
        """POST and return what was created."""
        answer = self.api("POST", target, body, who=who)
        assert answer.status == 201, (answer.status, answer.text)
        return answer.body

    # --- keys ---

    def new_open_key(self) -> tuple[str, str]:
        """A fresh live key without limits on the echo API: (secret, id)."""
        known = self.api("GET", f"/api/v1/keys/{self.data['echo']['key_ids']['open']}").body
        key = self.made("/api/v1/keys", {"project": known["project"], "name": "test", "kind": "live"})
        return key["secret"], key["id"]

    def new_quota_key(self, quota: int) -> str:
        """A live key of a new project with an untouched hard quota of 1,000 billable calls on the echo API.

        Given by the operator: through REST a person may hold only one free plan of an API.
        """
        assert quota == 1000, "the echo API has one plan with a hard quota: quota_1000"
        org = self.data["demo"]["developer"]["org"]
        return self.manage("shell", "-v", "0", "-c", GIVE.format(org=org, plan="echo-quota-1000")).stdout.strip()

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Another manage.py command beside the running product, knowing nothing but its home."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE_DIR,
            env=self.environment | {"TOLLGATE_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    # --- what was counted ---

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.data["database_url"], connect_timeout=5) as db:
            return db.execute(sql, values).fetchall()  # type: ignore[arg-type]

    def event_ids(self, key_id: str, *, accepted: bool | None = None) -> set[str]:
        """The ids of a key's recorded calls; with `accepted` those that were (or were not) sent upstream."""
        found = self.rows(
            "select event_id from usage_event where key = %s and (%s::bool is null or accepted = %s)",
            *(key_id, accepted, accepted),
        )
        return {str(row[0]) for row in found}

    def event_count(self, key_id: str) -> int:
        return int(self.rows("select count(*) from usage_event where key = %s", key_id)[0][0])

    def rollup_calls(self, key_id: str) -> int:
        return int(self.rows("select coalesce(sum(calls), 0) from usage_hour where key = %s", key_id)[0][0])

    def events_settled(self) -> bool:
        """Whether every line of every journal is committed."""
        with redis.Redis.from_url(self.data["redis_url"], socket_timeout=2) as client:
            committed = {boot.decode(): int(seq) for boot, seq in client.hgetall("tg:committed").items()}
        return all(committed.get(boot, 0) >= last for boot, last in self._journalled().items())

    def _journalled(self) -> dict[str, int]:
        """The last event of each boot that still has a journal."""
        last: dict[str, int] = {}
        for file in (self.home / "journal").glob("*.jsonl"):
            events = [line for line in _whole_lines(file) if "event_id" in line]
            if events:
                boot = events[-1]["boot"]
                last[boot] = max(last.get(boot, 0), events[-1]["seq"])
        return last

    # --- the echo upstream ---

    def reset_echo(self) -> None:
        assert request(self.data["echo"]["url"], "POST", "/__reset").status == 200

    def echo_stats(self) -> Any:
        return request(self.data["echo"]["url"], "GET", "/__stats").body

    # --- faults ---

    def empty_valkey(self) -> None:
        """Valkey loses everything it had, and comes back empty at the same address."""
        with redis.Redis.from_url(self.data["redis_url"], socket_timeout=5) as client:
            client.flushall()
        self.kill("valkey")
        self.wait_back("valkey")

    def search_everywhere(self, text: str) -> list[str]:
        """Where a text stands: tables, Valkey, and every file of the home but the demo's own note of its keys."""
        needle = text.encode()
        notes = {"demo.json", "demo.key"}
        files = (path for path in self.home.rglob("*") if path.is_file() and path.name not in notes)
        found = [str(path.relative_to(self.home)) for path in files if needle in _bytes(path)]
        return (
            found
            + [f"table {name}" for name in self._tables_with(text)]
            + [f"Valkey {key}" for key in self._keys_with(needle)]
        )

    def _tables_with(self, text: str) -> Iterator[str]:
        tables = self.rows("select tablename from pg_tables where schemaname = 'public'")
        for (table,) in tables:
            if self.rows(f'select 1 from "{table}" t where t::text like %s limit 1', f"%{text}%"):
                yield table

    def _keys_with(self, needle: bytes) -> Iterator[str]:
        with redis.Redis.from_url(self.data["redis_url"], socket_timeout=5) as client:
            for key in client.scan_iter(count=1000):
                if needle in key or needle in (client.dump(key) or b""):
                    yield key.decode(errors="replace")


def request(
    base: str, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: Any = None
) -> Answer:
    """One request on a connection of its own; `body` is sent as JSON."""
    place = urlsplit(base)
    link = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    more = {"Content-Type": "application/json"} if body is not None else {}
    try:
        link.request(method, target, json.dumps(body) if body is not None else None, {**(headers or {}), **more})
        reply = link.getresponse()
        return Answer(reply.status, dict(reply.headers), reply.read().decode())
    finally:
        link.close()


def temporary_home() -> Path:
    """A home in a folder of its own, that PostgreSQL's uid may pass through when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="tollgate-product-"))
    folder.chmod(0o711)
    return folder / "home"


def running(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Product]:
    """Start a product in a new home; at the end stop it and remove the home."""
    product = Product(temporary_home(), *arguments, environment=environment)
    try:
        yield product.start()
    finally:
        try:
            if product.process:
                product.stop()
        finally:
            shutil.rmtree(product.home.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """The whole product with the echo API and four gateway processes, once for all tests that ask."""
    yield from running("--with-echo", "--gateway-workers", "4")


@pytest.fixture(scope="module")
def product_without_push() -> Iterator[Product]:
    """A product whose gateways never hear of a change: they have to find out."""
    failpoints = {"TOLLGATE_FAILPOINTS": "directory.push=drop"}
    yield from running("--with-echo", "--gateway-workers", "4", environment=failpoints)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests run in several processes, those that want a whole product run in one: it is started once."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        if PRODUCTS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("product"))


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    kept = {name: value for name, value in kept.items() if not name.startswith("TOLLGATE_")}
    return kept | {"TOLLGATE_RATELIMIT": "0"}  # tests make more keys than a person would


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a log or journal that has just been put away
        return b""


def _whole_lines(path: Path) -> Iterable[Any]:
    return [json.loads(line) for line in _bytes(path).split(b"\n")[:-1]]
