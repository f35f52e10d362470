"""What is said between a worker's leases and `leases.lua`, and in which order. Pure."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from gateway.call import Claim

HEADER = 4  # what an answer says before its counters
WIDTH = 8  # what it says of each

Status = Literal["ok", "refused", "old", "ended", "rebuild", "moved"]
_STATUS: dict[bytes | int, Status] = {
    b"ok": "ok",
    b"refused": "refused",
    b"old": "old",
    b"ended": "ended",
    b"rebuild": "rebuild",
    b"moved": "moved",
}


class Totals(Struct, frozen=True):
    """What one worker ever had of one counter, in the present life of the counter; none of the three ever falls."""

    granted: int = 0
    settled: int = 0  # used up
    returned: int = 0


class Standing(Struct, frozen=True):
    """One counter after the script. `totals` are this worker's; a bucket's `granted` is what it gave just now."""

    totals: Totals
    limit: int  # of the newest version it knows
    remaining: int
    reset_ms: int  # until the window ends, or the bucket is full
    outstanding: int  # quota: units that workers hold and have not told to be used up
    wait_ms: int  # bucket: until it can give what was asked for


class Reply(Struct, frozen=True):
    """How the request ended. All of its claims were granted if `status` is "ok", else none.

    refused: the claim at index `refused` is short. ended: a window has been over for too long. old: this sequence
    had been seen; what it was granted then is in the totals. rebuild: the counters are not to be trusted yet.
    moved: they began a new life, `epoch`, that this worker has not joined.
    """

    status: Status
    epoch: int  # 0: not to be trusted
    at_ms: int  # Redis time
    refused: int = -1
    counters: tuple[Standing, ...] = ()  # in the request's order; empty for rebuild and moved


def line(claim: Claim, totals: Totals, *, need: int, want: int) -> list[str | int]:
    """Say of one counter: what is known, and that `need` units or more are asked for, up to `want`."""
    return [
        claim.kind,
        need,
        want,
        totals.granted,
        totals.settled,
        totals.returned,
        claim.limit,
        claim.version,
        1 if claim.hard else 0,
        claim.window_end_ms,
        claim.refill,
        claim.refill_ms,
    ]


def read(answer: Sequence[bytes | int]) -> Reply:
    """Read the script's answer."""
    status, epoch, at_ms, refused = answer[:HEADER]
    numbers = [int(number) for number in answer[HEADER:]]
    counters = (numbers[i : i + WIDTH] for i in range(0, len(numbers), WIDTH))
    return Reply(
        _STATUS[status],
        int(epoch),
        int(at_ms),
        int(refused) - 1,
        tuple(Standing(Totals(*said[:3]), *said[3:]) for said in counters),
    )
