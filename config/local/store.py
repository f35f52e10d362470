"""What both embedded stores share: a child process that is prepared, started, asked if it is ready, stopped."""

import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, Any, Protocol


class StoreError(Exception):
    """An embedded store cannot run here; the message is one sentence with the way out."""


class Store(Protocol):
    """A server this project can start by itself under `home`."""

    name: str
    stop_signal: signal.Signals

    @property
    def url(self) -> str: ...

    def prepare(self) -> None:
        """Create what the first start needs. Raises StoreError."""

    def command(self) -> tuple[list[str], dict[str, Any]]:
        """The command that runs in the foreground, and the keyword arguments of its Popen."""

    def ready(self) -> bool:
        """Whether it answers now."""


def start(store: Store, *, log: IO[bytes], timeout_s: float = 30) -> subprocess.Popen[bytes]:
    """Prepare and start a store and wait until it answers. Raises StoreError."""
    store.prepare()
    command, options = store.command()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options)
    give_up = time.monotonic() + timeout_s
    while not store.ready():
        if child.poll() is not None:
            raise StoreError(f"{store.name} stopped at once (exit {child.returncode}); its log is {log.name}")
        if time.monotonic() > give_up:
            child.kill()
            raise StoreError(f"{store.name} did not answer within {timeout_s:.0f} s; its log is {log.name}")
        time.sleep(0.02)
    return child


def stop(store: Store, child: subprocess.Popen[bytes], *, timeout_s: float = 20) -> None:
    """Stop a store in order; kill it when it does not."""
    if child.poll() is None:
        child.send_signal(store.stop_signal)
        try:
            child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def short_socket_dir(home: Path, name: str) -> Path:
    """A folder for a Unix socket: under home, or in /tmp where that path would pass the ~100 bytes a socket may have."""
    folder = home / "run" / name
    if len(os.fsencode(folder)) > 80:
        folder = Path("/tmp") / f"tollgate-{os.getuid()}-{abs(hash_path(home)):x}" / name
    return folder


def hash_path(path: Path) -> int:
    """A stable number for a path (Python's own hash differs per process)."""
    return int.from_bytes(hashlib.sha256(os.fsencode(path.resolve())).digest()[:6], "big")
