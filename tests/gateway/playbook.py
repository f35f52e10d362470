"""Plays a call as a conversation: which command the flow gives, what it is answered, what it writes down.

    play(
        a_call("GET", "/world/v1/countries"),
        (FindGrant, a_grant()),
        (Spend, Left()),
        (Forward, Reply(200, [])),
        (Respond, Sent(200, accepted=True)),
    ).event.billable

The desk answers None to everything, so every command is seen. An exception as the answer is thrown in.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import records
from gateway.call import Call, Claim, Credential, Refusal, UsageEvent
from gateway.flow import Command, Flow, handle
from gateway.records import Api, Grant
from gateway.routing import Op, Routes, forwarded, slug_of
from gateway.settings import GatewaySettings
from kit.ids import uuid7
from kit.secrets import new_api_key

Step = tuple[type, object]

NOW_MS = 1_760_000_000_000
HOUR_MS = 3_600_000
LIVE_KEY = new_api_key("live")
TEST_KEY = new_api_key("test")
SETTINGS = GatewaySettings(
    redis_url="redis://nowhere",
    stream_url="redis://nowhere",
    journal_dir=Path("/nonexistent"),
    peppers=("pepper",),
    encryption_key="an encryption key",
    portal_url="https://portal.example",
    public_url="https://api.example",
)


# --- nouns ---


def an_api(**changes: Any) -> Api:
    """World: /v1 with three operations, /v0 retired."""
    v1 = records.Version(
        id="v1-id",
        name="v1",
        base_path="/v1",
        upstream=records.Upstream("up-live", "http://127.0.0.1:9/live"),
        test_upstream=records.Upstream("up-test", "http://127.0.0.1:9/test"),
        operations=(
            records.Operation("op-list", "listCountries", "GET", "/countries"),
            records.Operation("op-add", "addCountry", "POST", "/countries"),
            records.Operation("op-one", "getCountry", "GET", "/countries/{code}"),
        ),
    )
    v0 = records.Version("v0-id", "v0", "/v0", v1.upstream, operations=v1.operations, state="retired")
    return records.Api(**({"id": "api-id", "rev": 1, "slug": "world", "versions": (v1, v0)} | changes))


def a_grant(kind: str = "live", *, limits: tuple[records.Limit, ...] = (), **changes: Any) -> Grant:
    """A key with every right, subscribed to World; `changes` are fields of the key."""
    key = records.Key(
        **({"id": "key-id", "rev": 1, "digests": (), "organization": "org-id", "project": "project-id", "kind": kind})
        | changes
    )
    return Grant(
        key=key,
        organization=records.Organization("org-id", 1),
        subscription=records.Subscription(
            "sub-id",
            1,
            "org-id",
            "project-id",
            ("api-id",),
            "plan-version-id",
            (records.Period("period-id", NOW_MS - HOUR_MS, NOW_MS + HOUR_MS),),
        ),
        plan_version=records.PlanVersion("plan-version-id", 1, 3, "free", limits),
    )


def a_call(method: str = "GET", path: str = "/world/v1/countries", key: str = LIVE_KEY, **changes: Any) -> Call:
    headers = [("host", "api.example"), *([("x-api-key", key)] if key else [])]
    fields = {
        "id": str(uuid7(NOW_MS)),
        "at_ms": NOW_MS,
        "method": method,
        "path": path,
        "query": "",
        "client": "192.0.2.7",
    }
    return Call(**(fields | {"headers": headers} | changes))


# --- the stage ---


@dataclass
class BlankDesk:
    """Knows where things are, and nothing else: every grant and every claim must be asked for."""

    api: Api
    settings: GatewaySettings = SETTINGS

    def match(self, method: str, path: str) -> Op:
        if slug_of(path) != self.api.slug:
            raise Refusal("api_unknown")
        return Routes(self.api).find(method, forwarded(path))

    def grant(self, credential: Credential, api: Api) -> None:
        return None

    def spend(self, claims: tuple[Claim, ...]) -> None:
        return None


@dataclass
class Ending:
    """What a play left behind."""

    event: UsageEvent | None
    commands: list[Command]

    @property
    def last(self) -> Any:
        return self.commands[-1]


def play(call: Call, *steps: Step, api: Api | None = None) -> Ending:
    """Run the whole conversation; fails if the flow says anything else, or goes on, or ends early."""
    desk = BlankDesk(api or an_api())
    flow, commands = handle(call, desk), []
    command, event = _resume(flow, None)
    for expected, answer in steps:
        assert type(command) is expected, f"expected {expected.__name__}, got {command or event}"
        commands.append(command)
        command, event = _resume(flow, answer)
    assert command is None, f"the flow goes on: {command}"
    return Ending(event, commands)


def _resume(flow: Flow, answer: object) -> tuple[Command | None, UsageEvent | None]:
    try:
        return (flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)), None
    except StopIteration as end:
        return None, end.value
