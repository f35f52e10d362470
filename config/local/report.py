"""What runs, for programs (`--json FILE`) and for people (the last lines on the console)."""

import json
import time
from pathlib import Path
from typing import Any

from config.local.console import say
from config.local.gateway import answering
from config.local.home import Home
from config.local.place import POINTER
from config.local.plan import Plan
from config.local.processes import children_of
from config.local.roles import STAGES
from config.local.store import keep_secret
from config.local.supervisor import Supervisor

ALONE = {"postgres", "valkey", "gateway_master"}  # their children are their own affair
LOOK_S = 0.3  # between two looks at who has been replaced
DEMO_FILE = "demo.json"  # written by demo/seed.py


class Report:
    """The JSON file and the data in it; written anew whenever a process has been replaced."""

    def __init__(self, home: Home, plan: Plan, stores: dict[str, str]) -> None:
        self.home = home
        self.plan = plan
        self.stores = stores
        self._written: dict[str, list[int]] = {}
        self._next_look_at = 0.0  # monotonic

    def pids(self, supervisor: Supervisor) -> dict[str, list[int]]:
        """The processes of each role: those that answer, their server and its helpers."""
        found = {}
        for name in (name for stage in STAGES for name in stage):
            if pid := supervisor.pid(name):
                found[name] = [pid] if name in ALONE else [pid, *children_of(pid)]
        return {"gateway": answering(self.home)} | found

    def refresh(self, supervisor: Supervisor) -> None:
        """Write the file if the processes are others than it says and all of them answer."""
        if not self.plan.json or not supervisor.all_ready() or time.monotonic() < self._next_look_at:
            return
        self._next_look_at = time.monotonic() + LOOK_S
        pids = self.pids(supervisor)
        if pids != self._written and len(pids["gateway"]) == self.plan.gateway_workers:
            self._written = pids
            try:
                keep_secret(self.plan.json, json.dumps(self.content(pids), indent=1) + "\n")
            except OSError as error:  # its folder has gone; what runs goes on
                say(f"{self.plan.json} cannot be written: {error.strerror}")

    def content(self, pids: dict[str, list[int]]) -> dict[str, Any]:
        demo = self.home.read(DEMO_FILE)
        return {
            "portal": self.plan.portal,
            "gateway": self.plan.gateway,
            "gateway_admin": None,
            "database_url": self.stores["DATABASE_URL"],
            "redis_url": self.stores["REDIS_URL"],
            "home": str(self.home.path),
            "logs": {name: str(self.home.logs / f"{name}.log") for name in pids},
            "pids": pids,
            "demo": demo.get("demo") if self.plan.demo_port else None,
            "echo": {"url": self.plan.echo, **demo["echo"]} if self.plan.echo_port else None,
        }

    def lines(self) -> list[str]:
        """What a person needs to begin."""
        rows = [("Portal", f"{self.plan.portal}/"), ("Gateway", f"{self.plan.gateway}/")]
        if self.plan.demo_port:
            demo = self.home.read(DEMO_FILE)["demo"]
            call = f"{self.plan.gateway}/{demo['api']}{demo['path']}"
            rows += [
                ("Mail", f"{self.plan.portal}/demo/mail/"),
                ("Try", f"curl -H 'X-API-Key: {demo['key_test']}' '{call}'"),
                (
                    "Admin",
                    f"{self.plan.portal}/admin/ as {demo['admin']['email']}, password in {self._file(DEMO_FILE)}",
                ),
            ]
        if (pointer := self._file(POINTER)).exists():
            rows.append(("Data", f"of PostgreSQL: {pointer.read_text().strip()}"))
        rows += [("Logs", str(self.home.logs)), ("Stop", "Ctrl-C; the data stays")]
        return [f"  {name:<8} {text}" for name, text in rows]

    def _file(self, name: str) -> Path:
        return self.home.path / name
