"""Serve one application from one worker: `python -m config.local.serve --port 8000 config.wsgi:application`.

What its module is called, `…wsgi` or `…asgi`, says how it is spoken to.
granian's main process and its worker are one unit here: when the worker dies the main process ends, and
whoever supervises starts both anew. Several such units share a port through SO_REUSEPORT.
"""

import argparse
import os
import resource
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

Application = Callable[..., Any]
CONNECTIONS = 4096  # open at the same time, idle ones included; calls beyond `--threads` wait their turn
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
        backpressure=CONNECTIONS,
        workers_kill_timeout=KILL_AFTER_S,
    )
    allow_files(2 * CONNECTIONS)  # the gateway holds one towards its upstream for each call
    server.serve(
        target_loader=partial(_load, os.getpid(), announcing_when_started if asynchronous else announcing_now),
        wrap_loader=True,
    )


def allow_files(wanted: int) -> None:
    """Raise this process's own limit of open files, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _load(main_pid: int, wrap: Callable[[Application], Application], target: str) -> Application:
    """Runs in the worker: load the application, and see to it that this process says when it answers."""
    hold_to(main_pid, signal.SIGTERM)
    module, _, attribute = target.partition(":")
    application: Application = getattr(import_module(module), attribute)
    return wrap(application)


def announcing_now(application: Application) -> Application:
    """A WSGI application answers as soon as it is loaded."""
    announce()
    return application


def announcing_when_started(application: Application) -> Application:
    """An ASGI application says itself when its start is complete."""

    async def announcing(scope: Any, receive: Any, send: Any) -> None:
        async def tell(message: Any) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                announce()

        await application(scope, receive, tell if scope["type"] == "lifespan" else send)

    return announcing


if __name__ == "__main__":
    main()
