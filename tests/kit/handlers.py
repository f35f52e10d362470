"""Handlers that outbox tests name in OUTBOX_HANDLERS: one that takes, one that is away until it is back."""

from typing import Any

taken: list[tuple[str, dict[str, Any]]] = []
away: set[str] = set()  # keys that are refused for now


def take(key: str, payload: dict[str, Any]) -> None:
    if key in away:
        raise ConnectionError(f"no way to {key}")
    taken.append((key, payload))


def die(key: str, payload: dict[str, Any]) -> None:
    raise SystemExit(key)


def forget() -> None:
    taken.clear()
    away.clear()
