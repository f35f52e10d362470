"""The gateway's master: keeps N processes answering on one port.

Each slot is a server of its own with one worker (`serve.py`), all bound to the same port, so that one that
dies takes only its own calls with it and is replaced while the others serve.
"""

import argparse
import os
import sys
from pathlib import Path

from config.local.announce import VARIABLE, announce, announced
from config.local.console import fail, say
from config.local.errors import StartError
from config.local.home import BASE_DIR, Home, home_path
from config.local.ports import LOOPBACK
from config.local.stopping import Stopping
from config.local.supervisor import Role, Supervisor

APPLICATION = "gateway.proxy.asgi:application"
THREADS = 64  # calls at the same time in one process
START_S = 150.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--workers", type=int, default=2, help="processes that answer calls")
    parser.add_argument("--log", type=Path, help="file for what those processes print (default: here)")
    parser.add_argument("--application", default=APPLICATION, help=argparse.SUPPRESS)


def main(argv: list[str]) -> int:
    """Run until SIGTERM or Ctrl-C; return the exit status."""
    parser = argparse.ArgumentParser(prog="manage.py gateway", description="Run the gateway's processes.")
    add_arguments(parser)
    return run(parser.parse_args(argv))


def run(options: argparse.Namespace) -> int:
    stopping = Stopping()
    home = Home(home_path())
    supervisor = Supervisor(say=say)
    slots = [slot(home, options, number) for number in range(options.workers)]
    try:
        home.make()
        supervisor.start(slots, timeout_s=START_S, stopping=stopping)
        announce()
        supervisor.watch(stopping=stopping)
    except StartError as error:
        return fail(str(error))
    finally:
        supervisor.stop([role.name for role in slots], hard=stopping.hard)
    return 0


def slot(home: Home, options: argparse.Namespace, number: int) -> Role:
    """One process that answers calls, with its server."""
    said = home.announcement(slot_name(number))
    command = [
        *(sys.executable, "-m", "config.local.serve", options.application),
        *("--host", options.host, "--port", str(options.port), "--threads", str(THREADS)),
    ]

    def launch() -> tuple[list[str], dict[str, object]]:
        said.unlink(missing_ok=True)
        return command, {"cwd": BASE_DIR, "env": os.environ | {VARIABLE: str(said)}}

    return Role(
        name=slot_name(number),
        launch=launch,
        ready=lambda _pid: announced(said) is not None,
        log=options.log,
        own_group=False,  # the supervisor of the master sweeps up by the master's group
    )


def slot_name(number: int) -> str:
    return f"gateway-{number}"


def answering(home: Home) -> list[int]:
    """The processes that answer calls now, by slot."""
    said = sorted(home.run.glob("gateway-*.pid"))
    return [pid for pid in map(announced, said) if pid]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
