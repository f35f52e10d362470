"""`manage.py up`: the whole product from one command.

It begins before Django does: the settings demand secrets and stores that only this makes. Its children read
them from the home (`secrets.json`, `stores.json`), and so does every other manage.py command meanwhile.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import environ

from config.local import leftovers
from config.local.console import fail, say
from config.local.errors import StartError
from config.local.external import check_database, check_own_secrets, check_redis
from config.local.home import BASE_DIR, Home
from config.local.place import Place
from config.local.plan import STORES_FILE, Plan, add_arguments, child_environment, home_of, plan
from config.local.report import Report
from config.local.roles import STAGES, roles, store_role, stores
from config.local.stopping import Stopping
from config.local.supervisor import Supervisor
from config.local.tether import tether

STORE_S, ROLE_S, PREPARE_S = 120.0, 180.0, 600.0  # a slow machine is not a broken one


def main(argv: list[str]) -> int:
    """Run until Ctrl-C or SIGTERM; return the exit status."""
    parser = argparse.ArgumentParser(prog="manage.py up", description="Start the whole of Tollgate.")
    add_arguments(parser)
    return run(parser.parse_args(argv))


def run(options: argparse.Namespace) -> int:
    stopping = Stopping()
    try:
        if sys.platform == "win32":
            raise StartError("Windows is not supported: run Tollgate in WSL 2.")
        if (BASE_DIR / ".env").exists():
            environ.Env.read_env(BASE_DIR / ".env")
        check_own_secrets(os.environ)
        home = home_of(options)
        home.make()
        with home.lock():
            leftovers.end(home)
            home.keep_secrets()
            Up(home, plan(options, home), stopping).run()
    except StartError as error:
        return fail(str(error))
    return 0


class Up:
    """One run of everything."""

    def __init__(self, home: Home, plan: Plan, stopping: Stopping) -> None:
        self.home = home
        self.plan = plan
        self.stopping = stopping
        self.supervisor = Supervisor(say=say, on_start=self._note)

    def run(self) -> None:
        """Start, watch, stop. Raises StartError, with everything stopped again."""
        began = time.monotonic()
        if self.plan.json:
            self.plan.json.unlink(missing_ok=True)  # what it said of an earlier run is not so any more
        try:
            report = self._start()
            if not self.stopping():
                say(f"Tollgate runs, after {time.monotonic() - began:.1f} s.")
                for line in report.lines():
                    say(line)
            self.supervisor.watch(stopping=self.stopping, between=lambda: report.refresh(self.supervisor))
        finally:
            self._stop()

    def _start(self) -> Report:
        """Start everything, or as much as there was time for before it was asked to stop."""
        say(f"Tollgate starts in {self.home.path}")
        given = self._stores()
        self.home.write(STORES_FILE, given | self.plan.settings(os.environ))
        if not (self.home.path / "static").exists():
            say("Preparing the database, the static files and the demo: the first time takes a little longer.")
        for step in (self._prepare, self._roles):
            if not self.stopping():
                step()
        report = Report(self.home, self.plan, given)
        report.refresh(self.supervisor)
        return report

    def _stores(self) -> dict[str, str]:
        """Check the stores that are given, start the others; return their URLs as settings."""
        given = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
        check: dict[str, Callable[[str], None]] = {"DATABASE_URL": check_database, "REDIS_URL": check_redis}
        own = stores(self.home)
        for name, role in (("DATABASE_URL", "postgres"), ("REDIS_URL", "valkey")):
            if given[name]:
                check[name](given[name])
                del own[role]
        started = [store_role(self.home, name, store) for name, store in own.items()]
        self.supervisor.start(started, timeout_s=STORE_S, stopping=self.stopping)
        urls = {role: store.url for role, store in own.items()}
        return {
            "DATABASE_URL": given["DATABASE_URL"] or urls["postgres"],
            "REDIS_URL": given["REDIS_URL"] or urls["valkey"],
        }

    def _prepare(self) -> None:
        """Bring database, static files and the demo up to this release, in a process with Django."""
        log = self.home.log("prepare")
        with log.open("ab") as out:
            child = subprocess.Popen(
                [sys.executable, "manage.py", "prepare"],
                cwd=BASE_DIR,
                env=child_environment(self.home),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=tether(signal.SIGKILL),
            )
        give_up = time.monotonic() + PREPARE_S
        while child.poll() is None:
            self.supervisor.look()
            if self.stopping() or time.monotonic() > give_up:
                child.kill()
            time.sleep(0.02)
        if child.returncode and not self.stopping():
            last = log.read_text(errors="replace").strip().splitlines() or ["nothing"]
            raise StartError(f"Preparing the database failed; the last words in {log} are: {last[-1][:300]}")

    def _roles(self) -> None:
        known = roles(self.home, self.plan)
        wanted = [known[name] for stage in STAGES[1:] for name in stage if name in known]
        self.supervisor.start(wanted, timeout_s=ROLE_S, stopping=self.stopping)

    def _note(self) -> None:
        leftovers.note(self.home, [pid for name in self.supervisor.children if (pid := self.supervisor.pid(name))])

    def _stop(self) -> None:
        if self.stopping():
            say("Tollgate stops; press Ctrl-C again to hurry.")
        for stage in reversed(STAGES):
            self.supervisor.stop(stage, hard=self.stopping.hard)
        Place(self.home.path).clear()
        self.home.forget(STORES_FILE)
        leftovers.note(self.home, [])
