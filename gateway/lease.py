"""What one worker knows of a counter, of an organization's counters, and of what it asked. Pure."""

from msgspec import Struct

from gateway.call import Claim, LimitState
from gateway.lease_script import Totals


class Account(Struct, eq=False):
    """What this worker holds of one organization; `epoch` names the life of its counters (0: not asked yet)."""

    org: str
    epoch: int = 0
    since: int = 0  # last seq of the journal when that life began here: what is written later is spent in it
    leases: dict[str, "Lease"] = {}


class Lease(Struct, eq=False):
    """One counter, as this worker knows it."""

    account: Account
    claim: Claim  # the newest seen
    granted: int = 0
    settled: int = 0
    returned: int = 0
    free: int = 0  # of a bucket only this is kept: its tokens never come back
    until_ms: int = 0  # free units are given back after this
    heard: int = 0  # seq of the newest reply
    doubt: int = 0  # seq of the newest request declared lost
    limit: int = 0
    remaining: int = 0
    reset_at_ms: int = 0
    refused_until_ms: int = 0  # until then the answer is known
    refused_units: int = 0  # for so many units or more
    refused_version: int = 0  # under this version of the limit
    used_ms: int = 0

    @property
    def held(self) -> int:
        """Units in calls now."""
        return self.granted - self.settled - self.returned - self.free

    @property
    def totals(self) -> Totals:
        return Totals(self.granted, self.settled, self.returned)

    @property
    def is_quota(self) -> bool:
        return self.claim.kind == "quota"

    def state(self, claim: Claim, at_ms: int) -> LimitState:
        """What is shown of the counter beside a call's answer."""
        if claim.kind == "quota":
            window_ms = claim.window_end_ms - claim.window_start_ms
        else:
            window_ms = claim.limit * claim.refill_ms // claim.refill
        reset_ms = self.reset_at_ms - at_ms
        remaining = self.remaining + self.free
        return LimitState(claim.name, self.limit, remaining, reset_ms if reset_ms > 0 else 0, window_ms, claim.hard)


class Request(Struct, frozen=True, eq=False):
    """One run of the script: its keys and arguments, and what the reply is about."""

    account: Account
    seq: int
    epoch: int
    claims: tuple[Claim, ...]  # empty: only totals are told
    leases: tuple[Lease, ...]
    keys: list[str]
    args: list[str | int]
