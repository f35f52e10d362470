"""Everything `manage.py up` runs, in the order it starts; it is stopped in the opposite order."""

import signal
import sys
from collections.abc import Callable
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

CELERY = (sys.executable, "-m", "celery", "--app", "config.celery")
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
    python = (sys.executable, "-m")
    serve = (*python, "config.local.serve")
    gateway = (sys.executable, "manage.py", "gateway", "--log", str(home.log("gateway")))
    portal, upstream = str(plan.portal_port), str(plan.demo_port)
    probe = "/world/v1/countries" if plan.demo_port else "/"
    expected = 401 if plan.demo_port else 404  # 401: the directory is known; without a demo there is nothing to know
    run = _python_role
    found = [
        run(home, "shipper", (*python, "gateway.shipper")),
        run(
            home,
            "worker",
            (*CELERY, "worker", "--loglevel", "INFO", "--concurrency", "2", "--without-gossip"),
            stop_s=5,
        ),
        run(home, "beat", (*CELERY, "beat", "--loglevel", "INFO", "--pidfile=", "--schedule", str(home.run / "beat"))),
        run(
            home,
            "gateway_master",
            (*gateway, "--port", str(plan.gateway_port), "--workers", str(plan.gateway_workers)),
            ready=lambda: (
                len(answering(home)) == plan.gateway_workers
                and all_answer(plan.gateway_port, probe, status=expected, tries=2 * plan.gateway_workers)
            ),
            stop_s=15,
        ),
        run(
            home,
            "portal",
            (*serve, "--port", portal, "--threads", "16", "config.wsgi:application"),
            ready=lambda: answers(plan.portal_port, "/"),
        ),
    ]
    if plan.demo_port:
        command = (*serve, "--port", upstream, "--threads", "16", "demo.world.wsgi:application")
        found.append(run(home, "demo", command, ready=lambda: answers(plan.demo_port or 0, "/v1/countries?limit=1")))
    if plan.echo_port:
        command = (*python, "demo.echo", "--port", str(plan.echo_port))
        found.append(run(home, "echo", command, ready=lambda: answers(plan.echo_port or 0, "/__stats")))
    return {role.name: role for role in found}


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
