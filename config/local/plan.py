"""What one `manage.py up` is going to run: its options, worked out and checked."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.local.errors import StartError
from config.local.home import Home, home_path
from config.local.ports import LOOPBACK, free_port, is_free

PORTAL_PORT = 8000
GATEWAY_PORT = 8080
STORES_FILE = "stores.json"  # settings of what runs now; `config.settings` and the shipper read it


@dataclass(frozen=True, kw_only=True)
class Plan:
    portal_port: int
    gateway_port: int
    gateway_workers: int
    demo_port: int | None  # None: no demo
    echo_port: int | None  # None: no echo
    json: Path | None

    @property
    def portal(self) -> str:
        return f"http://{LOOPBACK}:{self.portal_port}"

    @property
    def gateway(self) -> str:
        return f"http://{LOOPBACK}:{self.gateway_port}"

    @property
    def demo(self) -> str:
        return f"http://{LOOPBACK}:{self.demo_port}" if self.demo_port else ""

    @property
    def echo(self) -> str:
        return f"http://{LOOPBACK}:{self.echo_port}" if self.echo_port else ""

    def settings(self, given: Mapping[str, str]) -> dict[str, str]:
        """The settings that follow from this plan; what the environment gives stands."""
        own = [f"{LOOPBACK}:{port}" for port in (self.demo_port, self.echo_port) if port]
        upstreams = [*filter(None, given.get("TOLLGATE_UPSTREAM_ALLOW", "").split(",")), *own]
        return {
            "TOLLGATE_PORTAL_URL": given.get("TOLLGATE_PORTAL_URL") or self.portal,
            "TOLLGATE_GATEWAY_URL": given.get("TOLLGATE_GATEWAY_URL") or self.gateway,
            "TOLLGATE_DEMO_URL": self.demo,
            "TOLLGATE_ECHO_URL": self.echo,
            "TOLLGATE_UPSTREAM_ALLOW": ",".join(upstreams),
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `manage.py up`."""
    parser.add_argument("--home", default="", help="data folder (default: $TOLLGATE_HOME, or .tollgate)")
    parser.add_argument("--portal-port", type=int, default=PORTAL_PORT, help=f"0 = any (default: {PORTAL_PORT})")
    parser.add_argument("--gateway-port", type=int, default=GATEWAY_PORT, help=f"0 = any (default: {GATEWAY_PORT})")
    parser.add_argument("--gateway-admin-port", type=int, default=0, help="for the edge door; unused so far")
    parser.add_argument("--gateway-workers", type=int, default=2, metavar="N", help="processes that answer calls")
    parser.add_argument("--door", choices=("edge", "drf"), default="drf", help="which door of the gateway to run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what runs, once everything answers")
    parser.add_argument("--no-demo", action="store_true", help="start without the demo API World and its users")
    parser.add_argument("--with-echo", action="store_true", help="also publish an API that answers what it received")


def plan(options: argparse.Namespace, home: Home) -> Plan:
    """Check the options and choose the ports. Raises StartError."""
    if options.door == "edge":
        raise StartError("The edge door is not part of this release: start with --door drf.")
    if not 1 <= options.gateway_workers <= 64:
        raise StartError(f"--gateway-workers is {options.gateway_workers}: choose 1 to 64.")
    if options.no_demo and options.with_echo:
        raise StartError("--with-echo belongs to the demo's developer: leave out --no-demo.")
    if options.json and not options.json.resolve().parent.is_dir():
        raise StartError(f"There is no folder {options.json.resolve().parent} for --json: create it first.")
    wanted = {"demo": not options.no_demo, "echo": options.with_echo}
    inner = home.ports(*(name for name, want in wanted.items() if want))
    return Plan(
        portal_port=_port(options.portal_port, "--portal-port"),
        gateway_port=_port(options.gateway_port, "--gateway-port"),
        gateway_workers=options.gateway_workers,
        demo_port=inner.get("demo"),
        echo_port=inner.get("echo"),
        json=options.json.resolve() if options.json else None,
    )


def home_of(options: argparse.Namespace) -> Home:
    return Home(home_path(options.home))


def child_environment(home: Home) -> dict[str, str]:
    """What every process of this product gets: what we got, which home it belongs to, and what runs there."""
    own = {"TOLLGATE_HOME": str(home.path), "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **home.read(STORES_FILE), **own}


def _port(asked: int, flag: str) -> int:
    if not 0 <= asked <= 65_535:
        raise StartError(f"{flag} is {asked}: choose a port from 1 to 65535, or 0 for any.")
    if asked and not is_free(asked):
        raise StartError(f"port {asked} is taken: stop what listens there, or choose another with {flag} (0 = any).")
    return asked or free_port()
