"""What gateway tests stand on: settings, a Valkey of one's own, and waiting for a condition."""

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from config.local.store import start, stop
from config.local.valkey import Valkey
from gateway.settings import GatewaySettings


def settings_for(url: str, home: Path, **more: object) -> GatewaySettings:
    settings = GatewaySettings(
        redis_url=url,
        stream_url=url,
        journal_dir=home / "journal",
        peppers=("pepper-one",),
        encryption_key="encryption-key",
        portal_url="http://portal",
        public_url="http://gateway",
    )
    return replace(settings, **more)


def until(condition: Callable[[], object], *, within: float) -> float:
    """Wait for a condition; return the seconds it took. Raises AssertionError when it does not come."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < within, f"not within {within} s"
        time.sleep(0.005)
    return time.monotonic() - begun


class Mortal:
    """A Valkey that a test may kill, freeze and start again on the same port."""

    def __init__(self, home: Path) -> None:
        self._folder, self._log = home / "valkey", (home / "valkey.log").open("wb")
        self._valkey = Valkey(home)
        self.child = start(self._valkey, log=self._log)
        self.url = self._valkey.url

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()

    def restart(self, *, empty: bool = False) -> None:
        if empty:
            shutil.rmtree(self._folder / "appendonlydir")
        self.child = start(self._valkey, log=self._log)

    def freeze(self) -> None:
        self.child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.child.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.thaw()
        stop(self._valkey, self.child)
        self._log.close()
