"""Events to write in tests, and a journal that is easy to open."""

from pathlib import Path

from gateway.call import UsageEvent
from gateway.journal import Journal
from kit.ids import uuid7

AT_MS = 1_800_000_000_000


def event(at_ms: int = AT_MS, **more) -> UsageEvent:
    fields = {
        "event_id": str(uuid7(at_ms)),
        "ts": at_ms,
        "organization": "org-1",
        "project": "prj-1",
        "key": "key-1",
        "subscription": "sub-1",
        "plan_version": "ver-1",
        "period_id": "per-1",
        "api": "api-1",
        "version": "v1",
        "operation": "list",
        "method": "GET",
        "status": 200,
        "problem": "",
        "billable": True,
        "accepted": True,
        "test": False,
    }
    return UsageEvent(**fields | more)


def journal(
    folder: Path, *, boot: str = "boot-a", clock_ms=lambda: AT_MS, reserve_bytes: int = 1 << 16, **more
) -> Journal:
    return Journal(
        folder, gateway="local", worker="w0", boot=boot, clock_ms=clock_ms, reserve_bytes=reserve_bytes, **more
    )
