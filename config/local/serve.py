"""Serve one application from one worker: `python -m config.local.serve --port 8000 config.wsgi:application`.

What its module is called, `…wsgi` or `…asgi`, says how it is spoken to.
granian's main process and its worker are one unit here: when the worker dies the main process ends, and
whoever supervises starts both anew. Several such units share a port through SO_REUSEPORT.
"""

import argparse
import os
import signal
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.server import Server

from config.local.announce import announce
from config.local.ports import LOOPBACK
from config.local.tether import hold_to

KILL_AFTER_S = 8  # a worker that does not end its calls by then is killed


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m config.local.serve", description=__doc__)
    parser.add_argument("application", help="module:attribute of a WSGI or ASGI application")
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=16, help="calls answered at the same time")
    options = parser.parse_args(argv)
    asynchronous = options.application.partition(":")[0].endswith("asgi")
    server = Server(
        options.application,
        address=options.host,
        port=options.port,
        interface=Interfaces.ASGI if asynchronous else Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=1,
        blocking_threads=None if asynchronous else options.threads,  # an ASGI application has its own
        backpressure=4 * options.threads,
        workers_kill_timeout=KILL_AFTER_S,
    )
    server.serve(target_loader=partial(_load, os.getpid()), wrap_loader=True)


def _load(main_pid: int, target: str) -> Callable[..., Any]:
    """Runs in the worker: load the application, then say that this process answers."""
    hold_to(main_pid, signal.SIGTERM)
    module, _, attribute = target.partition(":")
    application: Callable[..., Any] = getattr(import_module(module), attribute)
    announce()
    return application


if __name__ == "__main__":
    main()
