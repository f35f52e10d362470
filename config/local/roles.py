"""Everything `manage.py up` runs, in the order it starts; it is stopped in the opposite order."""

import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from config.local.announce import VARIABLE, announced
from config.local.gateway import answering
from config.local.home import BASE_DIR, Home
from config.local.plan import Plan, child_environment
from config.local.postgres import Postgres
from config.local.probes import all_answer, answers
from config.local.store import Store
from config.local.supervisor import Role
from config.local.valkey import Valkey

PYTHON = (sys.executable, "-m")
SERVE = (*PYTHON, "config.local.serve")
CELERY = (*PYTHON, "celery", "--app", "config.celery")
# First the upstreams, last what people reach: stopping goes backwards, so calls end before what carries them.
STAGES: tuple[tuple[str, ...], ...] = (
    ("postgres", "valkey"),
    ("demo", "echo", "shipper", "worker", "beat"),
    ("gateway_master", "portal"),
)


def store_role(home: Home, name: str, store: Store) -> Role:
    def launch() -> tuple[list[str], dict[str, Any]]:
        store.prepare()
        return store.command()

    return Role(
        name=name,
        launch=launch,
        ready=lambda _pid: store.ready(),
        log=home.log(name),
        stop_signal=store.stop_signal,
        stop_s=20,
    )


def stores(home: Home) -> dict[str, Store]:
    return {"postgres": Postgres(home.path), "valkey": Valkey(home.path)}


def roles(home: Home, plan: Plan) -> dict[str, Role]:
    """All roles but the stores, by name."""
    found = [*_upstreams(home, plan), *_workers(home), _gateway(home, plan), _portal(home, plan)]
    return {role.name: role for role in found}


def _upstreams(home: Home, plan: Plan) -> Iterator[Role]:
    if port := plan.demo_port:
        command = (*SERVE, "--port", str(port), "--threads", "16", "demo.world.wsgi:application")
        yield _python_role(home, "demo", command, ready=lambda: answers(port, "/v1/countries?limit=1"))
    if echo := plan.echo_port:
        own = (*PYTHON, "demo.echo", "--port", str(echo))
        yield _python_role(home, "echo", own, ready=lambda: answers(echo, "/__stats"))


def _workers(home: Home) -> Iterator[Role]:
    worker = (*CELERY, "worker", "--loglevel", "WARNING", "--concurrency", "2", "--without-gossip", "--without-mingle")
    beat = (*CELERY, "beat", "--loglevel", "WARNING", "--pidfile=", "--schedule", str(home.run / "beat"))
    yield _python_role(home, "shipper", (*PYTHON, "gateway.shipper"))
    yield _python_role(home, "worker", worker, stop_s=5)
    yield _python_role(home, "beat", beat)


def _gateway(home: Home, plan: Plan) -> Role:
    probe, expected = ("/world/v1/countries", 401) if plan.demo_port else ("/", 404)  # 401: it knows its directory
    ports = ("--port", str(plan.gateway_port), "--workers", str(plan.gateway_workers))
    return _python_role(
        home,
        "gateway_master",
        (sys.executable, "manage.py", "gateway", *ports, "--log", str(home.log("gateway"))),
        ready=lambda: (
            len(answering(home)) == plan.gateway_workers
            and all_answer(plan.gateway_port, probe, status=expected, tries=2 * plan.gateway_workers)
        ),
        stop_s=15,
    )


def _portal(home: Home, plan: Plan) -> Role:
    command = (*SERVE, "--port", str(plan.portal_port), "--threads", "16", "config.wsgi:application")
    return _python_role(home, "portal", command, ready=lambda: answers(plan.portal_port, "/"))


def _python_role(
    home: Home, name: str, command: tuple[str, ...], *, ready: Callable[[], bool] | None = None, stop_s: float = 10
) -> Role:
    """A role of ours: it says itself when it is ready, unless `ready` asks it from outside."""
    said = home.announcement(name)

    def launch() -> tuple[tuple[str, ...], dict[str, Any]]:
        said.unlink(missing_ok=True)
        return command, {"cwd": BASE_DIR, "env": child_environment(home) | {VARIABLE: str(said)}}

    return Role(
        name=name,
        launch=launch,
        ready=(lambda _pid: ready()) if ready else (lambda _pid: announced(said) is not None),
        log=home.log(name),
        stop_signal=signal.SIGTERM,
        stop_s=stop_s,
    )
