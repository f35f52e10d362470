"""What a plan version allows: its limits read from JSON, the names of their counters, and how they are said. Pure.

A limit's id ("quota:billable:period") names its counter in the gateway: it stays the same over versions.
Counters that are not the subscription's own are shared between plans (one key, one organization, many
subscriptions), so theirs carry the plan: "bucket:second:key:world-pro".
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from kit.errors import FieldError, ProblemError
from marketplace.pricing.fields import Fields

MOST_LIMITS = 20
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")  # stands in a RateLimit field (a structured-field string)
_SPANS = {1_000: "second", 60_000: "minute", 3_600_000: "hour", 86_400_000: "day"}
_METERS = ("billable", "admitted")
_WINDOWS = ("period", "ever")
_OWNERS = ("subscription", "key", "organization")
_QUOTA_REFUSALS = ("quota_exceeded", "overage_not_allowed")


@dataclass(frozen=True, kw_only=True)
class LimitSpec:
    """One valid limit. quota: `amount` units per window; bucket: `amount` = burst, `refill` more each `refill_ms`."""

    kind: str
    name: str
    amount: int
    meter: str = "billable"
    window: str = "period"
    hard: bool = True
    refill: int = 0
    refill_ms: int = 0
    per: str = "subscription"
    refusal: str = "quota_exceeded"

    def id(self, plan: str) -> str:
        """The counter's stable name; `plan` is the plan's slug."""
        own = "" if self.per == "subscription" else f":{self.per}:{plan}"
        if self.kind == "bucket":
            return f"bucket:{_SPANS.get(self.refill_ms, f'{self.refill_ms}ms')}{own}"
        return f"quota:{self.meter}:{self.window}{own}"

    def sentence(self, interval: str) -> str:
        """The limit as a customer reads it, without a full stop. `interval`: "month" | "year"."""
        whose = {"subscription": "", "key": " per key", "organization": " per organization"}[self.per]
        if self.kind == "bucket":
            span = f"a {_SPANS[self.refill_ms]}" if self.refill_ms in _SPANS else f"every {self.refill_ms:,} ms"
            rate = f"{_calls(self.refill)} {span}{whose}"
            burst = f", up to {self.amount:,} at once" if self.amount != self.refill else ""
            return f"{rate}{burst}; faster calls are refused (429)" if self.hard else f"{rate}{burst}; not enforced"
        span = f" a {interval}" if self.window == "period" else " in all"
        counted = "" if self.meter == "billable" else ", failed ones included"
        return f"{_calls(self.amount)}{span}{whose}{counted}; {self._beyond()}"

    def _beyond(self) -> str:
        if not self.hard:
            return "calls beyond it go through"
        status = 402 if self.refusal == "overage_not_allowed" else 429
        return f"calls beyond it are refused ({status})"


def read_limits(raws: Sequence[object], *, plan: str) -> tuple[LimitSpec, ...]:
    """Read a version's limits. Raises ProblemError invalid, naming each wrong field as "limits.0.refill_ms"."""
    errors: list[FieldError] = []
    if len(raws) > MOST_LIMITS:
        raise ProblemError("invalid", errors=[FieldError("limits", f"At most {MOST_LIMITS} limits.")])
    found = [_read(raw, f"limits.{index}", errors) for index, raw in enumerate(raws)]
    if not errors:
        _check_once(found, plan, errors)
    if errors:
        raise ProblemError("invalid", errors=errors)
    return tuple(found)


def limits_hash(limits: Sequence[LimitSpec]) -> str:
    """SHA-256 of the limits, whatever their order."""
    told = sorted((asdict(limit) for limit in limits), key=lambda limit: str(limit["name"]))
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _read(raw: object, path: str, errors: list[FieldError]) -> LimitSpec:
    if not isinstance(raw, Mapping):
        errors.append(FieldError(path, "A limit is an object."))
        raw = {}
    fields = Fields(raw, path=path, errors=errors)
    kind = _choice(fields, "kind", ("quota", "bucket"), default="")
    name = fields.text("name", most=40)
    if name and not _NAME.fullmatch(name):
        fields.refuse("name", "Lower-case letters, digits, - and _, starting with a letter.")
    per = _choice(fields, "per", _OWNERS, default="subscription")
    hard = fields.take("hard")
    if hard not in (None, True, False):
        fields.refuse("hard", "true or false.")
    spec = (_bucket if kind == "bucket" else _quota)(fields, name, per, hard is not False)
    fields.done()
    return spec


def _quota(fields: Fields, name: str, per: str, hard: bool) -> LimitSpec:
    return LimitSpec(
        kind="quota",
        name=name,
        amount=fields.count("amount"),
        meter=_choice(fields, "meter", _METERS, default="billable"),
        window=_choice(fields, "window", _WINDOWS, default="period"),
        hard=hard,
        per=per,
        refusal=_choice(fields, "refusal", _QUOTA_REFUSALS, default="quota_exceeded"),
    )


def _bucket(fields: Fields, name: str, per: str, hard: bool) -> LimitSpec:
    refill_ms = fields.count("refill_ms", least=1)
    if refill_ms > 86_400_000:
        fields.refuse("refill_ms", "At most a day (86400000).")
    for unused in ("meter", "window", "refusal"):
        fields.take(unused)
    return LimitSpec(
        kind="bucket",
        name=name,
        amount=fields.count("amount", least=1),
        hard=hard,
        refill=fields.count("refill", least=1),
        refill_ms=refill_ms,
        per=per,
        refusal="rate_limited",
    )


def _choice(fields: Fields, name: str, choices: tuple[str, ...], *, default: str) -> str:
    value = fields.take(name)
    if value is None and default:
        return default
    if not isinstance(value, str) or value not in choices:
        fields.refuse(name, f"One of {', '.join(choices)}.")
        return choices[0]
    return value


def _check_once(limits: Sequence[LimitSpec], plan: str, errors: list[FieldError]) -> None:
    names: set[str] = set()
    ids: set[str] = set()
    for index, limit in enumerate(limits):
        if limit.name in names:
            errors.append(FieldError(f"limits.{index}.name", f"Two limits are named {limit.name!r}."))
        if limit.id(plan) in ids:
            errors.append(FieldError(f"limits.{index}", "Another limit already counts the same: change one of them."))
        names.add(limit.name)
        ids.add(limit.id(plan))


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"
