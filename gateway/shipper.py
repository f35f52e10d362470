"""The shipper: `python -m gateway.shipper` carries one folder's journals into the usage stream until SIGTERM.

Reads TOLLGATE_HOME, REDIS_STREAM_URL or REDIS_URL, or the home's stores.json; needs no database and no Django.
"""

import fcntl
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from redis import RedisError

from gateway.settings import GatewaySettings
from gateway.shipping import Shipper
from gateway.store import connect

log = logging.getLogger(__name__)
IDLE_S = 0.05  # between two looks when nothing was new: a line is in the stream 50 ms later
TIDY_S = 1.0
RETRY_S = 0.2
TIMEOUT_S = 2.0  # nobody waits for a batch; a slow server is better than a second send


def main(environ: Mapping[str, str]) -> None:
    """Ship until SIGTERM or SIGINT, then once more. Exits with a sentence when there is nothing to ship to."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    home = Path(environ.get("TOLLGATE_HOME") or Path(__file__).parents[1] / ".tollgate").expanduser().resolve()
    url = stream_url(environ, home)
    folder = home / "journal"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = take_lock(folder, ending)
    shipper = Shipper(folder, connect(url, timeout_s=TIMEOUT_S), cap_bytes=GatewaySettings.stream_cap_bytes)
    sys.stdout.write(f"shipper: {folder} goes to the usage stream\n")
    sys.stdout.flush()
    announce(environ)
    work(shipper, ending)
    os.close(lock)


def stream_url(environ: Mapping[str, str], home: Path) -> str:
    """Find the server of the usage stream. Raises SystemExit."""
    if url := environ.get("REDIS_STREAM_URL") or environ.get("REDIS_URL"):
        return url
    try:
        return str(json.loads((home / "stores.json").read_text())["REDIS_URL"])
    except FileNotFoundError:
        raise SystemExit("No stores: set REDIS_URL, or start `manage.py up` first.") from None


def take_lock(folder: Path, ending: threading.Event) -> int:
    """Become the folder's only shipper; a second one waits until the first is gone."""
    lock = os.open(folder / ".shipper", os.O_RDWR | os.O_CREAT, 0o600)
    while not ending.is_set():
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            ending.wait(RETRY_S)
    raise SystemExit(0)


def announce(environ: Mapping[str, str]) -> None:
    """Tell the process that started this one that it is ready: its id in the file $TOLLGATE_ANNOUNCE."""
    if path := environ.get("TOLLGATE_ANNOUNCE"):
        unnamed = Path(f"{path}.{os.getpid()}")
        unnamed.write_text(str(os.getpid()))
        unnamed.replace(path)


def work(shipper: Shipper, ending: threading.Event) -> None:
    """Ship what is new until `ending`, and once more after it."""
    away, tidy_at, last = False, 0.0, False
    while not last:
        last, shipped = ending.is_set(), 0
        try:
            shipped = shipper.ship()
            if last or time.monotonic() >= tidy_at:
                shipper.tidy()
                tidy_at = time.monotonic() + TIDY_S
            if away:
                log.info("the usage stream answers again")
            away = False
        except RedisError as error:
            if not away:
                log.warning("the usage stream does not answer: %s", error)
            away = True
            shipper.forget()
        if not shipped:
            ending.wait(RETRY_S if away else IDLE_S)


if __name__ == "__main__":
    main(os.environ)
