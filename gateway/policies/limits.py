"""What the limits of a call look like from outside.

`RateLimit-Policy` and `RateLimit` follow draft-ietf-httpapi-ratelimit-headers-10 (structured fields, RFC 9651);
the three `X-RateLimit-*` say the scarcest limit the way older clients know, with the reset as Unix seconds.
"""

from gateway.call import Headers, LimitState
from gateway.case import Case


def show_limits(headers: Headers, case: Case) -> Headers:
    """Add a line per vocabulary when the call touched a limit."""
    states = states_of(case)
    if not states:
        return headers
    scarcest = min(states, key=lambda state: state.remaining)
    reset_at = (case.call.at_ms + scarcest.reset_ms + 999) // 1000
    return [
        *headers,
        ("ratelimit-policy", ", ".join(map(_policy, states))),
        ("ratelimit", ", ".join(map(_state, states))),
        ("x-ratelimit-limit", str(scarcest.limit)),
        ("x-ratelimit-remaining", str(scarcest.remaining)),
        ("x-ratelimit-reset", str(reset_at)),
    ]


def states_of(case: Case) -> tuple[LimitState, ...]:
    """The limits as they stood after the claim, granted or refused."""
    if case.left is not None:
        return case.left.states
    return case.refusal.states if case.refusal else ()


def seconds(ms: int) -> int:
    """Whole seconds, rounded up: what resets in 1 ms has not reset yet."""
    return -(-ms // 1000)


def _policy(state: LimitState) -> str:
    window = f";w={seconds(state.window_ms)}" if state.window_ms else ""
    return f"{string(state.name)};q={state.limit}{window}"


def _state(state: LimitState) -> str:
    reset = f";t={seconds(state.reset_ms)}" if state.window_ms or state.reset_ms else ""
    return f"{string(state.name)};r={state.remaining}{reset}"


def string(text: str) -> str:
    """A structured-field string (RFC 9651 §3.3.3)."""
    return '"' + "".join(f"\\{c}" if c in '"\\' else c for c in text if " " <= c <= "~") + '"'
