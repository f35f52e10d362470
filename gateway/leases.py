"""Units that one worker holds: deducted in Redis before a call may spend them, so that no quota is exceeded.

Pure. A counter keeps per worker (its owner) totals that only grow: granted, settled (used up), returned. Both sides
send totals with a sequence number and merge by maximum; so a message that is lost, late, repeated or out of order
can neither double a grant nor double a give-back. The script is `leases.lua`, the reasons and the proof are in
docs/decisions/0007-counters-and-leases.md. Not thread-safe: one thread, or one event loop, owns it.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice

from gateway import names
from gateway.call import Claim, Left, LimitState, Refusal
from gateway.lease import Account, Lease, Request
from gateway.lease_script import Reply, Standing, line, read

GRACE_MS = 2_000  # a call admitted before its window ended may claim from it so long after; also in leases.lua
LIFE_MS = 1_000  # a leased unit is spent or given back within this,
TIGHT_MS = 100  # and within this once the counter has nothing left
SPENT_MS = 250  # a quota without a unit left or leased is not asked for again before this
IDLE_MS = 60_000  # a bucket is forgotten after this
TOLD_MAX = 500  # counters whose totals are told at a time: ~5 ms of the server's
UNTRUSTED = 1  # the epoch of units counted while the server had none: below every real one

Size = Callable[[Claim, int], int]  # claim, what its counter last had left → how many units to hold


def one(claim: Claim, remaining: int) -> int:
    """Lease nothing ahead: every call asks for its own units."""
    return 0


class Leases:
    """All leases of one worker. `owner` is its boot id, `size` how many units to hold; instants are Redis time."""

    def __init__(self, owner: str, *, size: Size = one) -> None:
        self.owner, self.size = owner, size
        self.generation = 0  # of the server's run; epochs below it are void; 0: unknown
        self.seq = 0
        self._accounts: dict[str, Account] = {}
        self._leases: dict[str, Lease] = {}
        self._free: dict[str, Lease] = {}  # may hold free units
        self._untold: dict[str, Lease] = {}  # the server does not know its totals, or we do not know the server's
        self._forgotten: list[str] = []
        self._due: list[tuple[int, str]] = []  # when to look whether a lease can be forgotten

    # --- calls ---

    def spend(self, claims: tuple[Claim, ...], *, at_ms: int) -> Left | None:
        """Take the units of a call from what is held: all or none. None: ask for what is short.

        Raises Refusal where one claim is known to be refused, whatever the others lack.
        """
        leases, short = self._leases, False
        for claim in claims:
            lease = leases.get(claim.counter)
            if lease is None:
                short = True
            elif lease.free < claim.units or lease.until_ms < at_ms:
                short = True
                if (
                    at_ms < lease.refused_until_ms
                    and claim.units >= lease.refused_units
                    and claim.version <= lease.refused_version
                ):
                    raise self.refusal(claims, claim, at_ms=at_ms)
        if short:
            return None
        for claim in claims:
            leases[claim.counter].free -= claim.units
        return Left(self._states(claims, at_ms))

    def settle(self, claims: tuple[Claim, ...], *, used: bool) -> None:
        """End a call: its units are used up, or come back to their lease. Tokens of a bucket never come back."""
        for claim in claims:
            if claim.kind == "quota" and (used or claim.meter == "admitted"):
                lease = self._leases[claim.counter]
                lease.settled += claim.units
                self._untold[claim.counter] = lease
            elif claim.kind == "quota":
                self._give(claim)

    def unspend(self, claims: tuple[Claim, ...]) -> None:
        """Take back a spend whose call was never admitted."""
        for claim in claims:
            if claim.kind == "quota":
                self._give(claim)

    def refusal(self, claims: tuple[Claim, ...], claim: Claim, *, at_ms: int) -> Refusal:
        """Word the refusal of one of a call's claims, beside the state of them all."""
        until_ms = claim.window_end_ms if claim.kind == "quota" else self._leases[claim.counter].refused_until_ms
        retry_after = max(1, -(-(until_ms - at_ms) // 1000)) if until_ms else None
        return Refusal(claim.refusal, retry_after=retry_after, states=self._states(claims, at_ms))

    # --- the server ---

    def request(self, claims: tuple[Claim, ...], *, at_ms: int) -> Request:
        """Ask for what a call is short of.

        Raises ValueError if the claims are not one organization's: those of another hash tag are a request of
        their own, sent first; what it granted lies in the leases, and goes back if the second is refused.
        """
        account = self._account(names.organization_of(claims[0].counter))
        leases, words = [], []
        for claim in claims:
            lease = self._lease(account, claim, at_ms)
            if lease.until_ms < at_ms:
                self._release(lease)
            need = max(0, claim.units - lease.free)
            want = max(need, self.size(claim, lease.remaining) - lease.free) if need else 0
            words += line(claim, lease.totals, need=need, want=want)
            leases.append(lease)
        return self._request(account, claims, leases, words)

    def tell(self, *, at_ms: int, now: bool = False, but: Collection[str] = ()) -> list[Request]:
        """Give back what is not to be spent any more, and tell totals that the server does not know, TOLD_MAX at most.

        `now` gives back everything that is free; counters in `but` are left alone.
        """
        for name, lease in list(self._free.items()):
            if (now or lease.until_ms < at_ms) and name not in but:
                self._release(lease)
        self._forget(at_ms)
        told: dict[str, list[Lease]] = {}
        for lease in islice((lease for name, lease in self._untold.items() if name not in but), TOLD_MAX):
            told.setdefault(lease.account.org, []).append(lease)
        return [self._telling(leases) for leases in told.values()]

    def absorb(self, request: Request, answer: Sequence[bytes | int], *, at_ms: int) -> Reply:
        """Learn from the script's answer, however late, repeated or out of order. `at_ms` is the worker's clock."""
        reply, account = read(answer), request.account
        if request.epoch not in (0, account.epoch) or (
            reply.counters and account.epoch not in (0, reply.epoch or account.epoch)
        ):
            return Reply("old", account.epoch, reply.at_ms)  # said in an earlier life of the counters
        if reply.counters:
            account.epoch = reply.epoch or account.epoch or UNTRUSTED
        for lease, said in zip(request.leases, reply.counters, strict=False):
            if self._leases.get(lease.claim.counter) is lease:  # not forgotten meanwhile
                self._learn(lease, request.seq, said, at_ms)
        if reply.status == "refused":
            self._remember(request, reply, at_ms)
        return reply

    def lost(self, request: Request) -> None:
        """Note that no reply will come: the request may have been executed, or be executed later."""
        for lease in request.leases:
            if lease.is_quota and self._leases.get(lease.claim.counter) is lease:
                lease.doubt = max(lease.doubt, request.seq)
                self._untold[lease.claim.counter] = lease

    def doubt_all(self) -> None:
        """Tell every total again: the server may have lost what it had confirmed."""
        self._untold.update((name, lease) for name, lease in self._leases.items() if lease.is_quota)

    def all_told(self) -> bool:
        """Whether nothing is held, and the server knows it."""
        return not self._untold and not any(
            lease.held or lease.free for lease in self._leases.values() if lease.is_quota
        )

    def take_forgotten(self) -> list[str]:
        """Return the quota counters dropped since the last time."""
        forgotten, self._forgotten = self._forgotten, []
        return forgotten

    # --- rebuild ---

    def outstanding(self, orgs: Collection[str], *, before: int) -> dict[str, int]:
        """Return the units per counter that are granted and neither settled nor returned, in epochs before one."""
        accounts = (account for org in orgs if (account := self._accounts.get(org)) and account.epoch < before)
        leases = (lease for account in accounts for lease in account.leases.values() if lease.is_quota)
        return {lease.claim.counter: units for lease in leases if (units := lease.held + lease.free)}

    def rebase(self, orgs: Iterable[str], *, epoch: int, since: int) -> None:
        """Begin a new life of these organizations' counters: totals start over with what is outstanding now.

        `since` is the journal's last seq at this instant. What was said in an earlier life is void from here on.
        """
        for org in orgs:
            account = self._accounts.get(org)
            if account is not None and account.epoch < epoch:
                account.epoch, account.since = epoch, since
                for lease in (lease for lease in account.leases.values() if lease.is_quota):
                    lease.granted, lease.settled, lease.returned = lease.held + lease.free, 0, 0
                    lease.doubt = lease.refused_until_ms = 0
                    self._untold[lease.claim.counter] = lease

    # --- within ---

    def _account(self, org: str) -> Account:
        account = self._accounts.get(org)
        if account is None:
            account = self._accounts[org] = Account(org)
        return account

    def _lease(self, account: Account, claim: Claim, at_ms: int) -> Lease:
        lease = self._leases.get(claim.counter)
        if lease is None:
            if names.organization_of(claim.counter) != account.org:
                raise ValueError(f"{claim.counter} has another hash tag than {account.org}")
            lease = self._leases[claim.counter] = account.leases[claim.counter] = Lease(account, claim)
            self._look_again(lease, at_ms)
        elif claim.version > lease.claim.version:
            lease.claim = claim
        lease.used_ms = at_ms
        return lease

    def _request(
        self, account: Account, claims: tuple[Claim, ...], leases: list[Lease], words: list[str | int]
    ) -> Request:
        self.seq += 1
        keys = [names.epoch(account.org), *(lease.claim.counter for lease in leases)]
        args = [self.owner, self.seq, account.epoch, self.generation, account.since, *words]
        return Request(account, self.seq, account.epoch, claims, tuple(leases), keys, args)

    def _telling(self, leases: list[Lease]) -> Request:
        words = [word for lease in leases for word in line(lease.claim, lease.totals, need=0, want=0)]
        return self._request(leases[0].account, (), leases, words)

    def _learn(self, lease: Lease, seq: int, said: Standing, at_ms: int) -> None:
        newest = seq > lease.heard
        if lease.is_quota:
            gained = max(0, said.totals.granted - lease.granted)
            lease.granted += gained
        else:
            gained = said.totals.granted if newest else 0
        if gained:
            self._gain(lease, gained, said.remaining, at_ms)
        if newest:
            lease.heard = seq
            lease.limit, lease.remaining, lease.reset_at_ms = said.limit, said.remaining, at_ms + said.reset_ms
            if seq >= lease.doubt and said.totals == lease.totals:
                self._untold.pop(lease.claim.counter, None)

    def _gain(self, lease: Lease, units: int, remaining: int, at_ms: int) -> None:
        end_ms = lease.claim.window_end_ms
        until_ms = at_ms + (LIFE_MS if remaining else TIGHT_MS)
        lease.free += units
        lease.until_ms = max(at_ms + TIGHT_MS, min(until_ms, end_ms)) if end_ms else until_ms
        lease.refused_until_ms = 0
        self._free[lease.claim.counter] = lease

    def _give(self, claim: Claim) -> None:
        lease = self._free[claim.counter] = self._leases[claim.counter]
        lease.free += claim.units

    def _release(self, lease: Lease) -> None:
        """Give back what is free; tokens of a bucket are dropped."""
        if lease.free and lease.is_quota:
            lease.returned += lease.free
            self._untold[lease.claim.counter] = lease
        lease.free = 0
        self._free.pop(lease.claim.counter, None)

    def _remember(self, request: Request, reply: Reply, at_ms: int) -> None:
        claim, lease = request.claims[reply.refused], request.leases[reply.refused]
        said = reply.counters[reply.refused]
        known_ms = said.wait_ms if claim.kind == "bucket" else 0 if said.outstanding else SPENT_MS
        lease.refused_until_ms, lease.refused_units, lease.refused_version = (
            at_ms + known_ms,
            claim.units,
            claim.version,
        )

    def _look_again(self, lease: Lease, at_ms: int) -> None:
        claim = lease.claim
        if claim.kind == "bucket":
            heapq.heappush(self._due, (lease.used_ms + IDLE_MS, claim.counter))
        elif claim.window_end_ms:
            heapq.heappush(self._due, (max(claim.window_end_ms + GRACE_MS, at_ms + LIFE_MS), claim.counter))

    def _forget(self, at_ms: int) -> None:
        """Drop leases of windows that are over and buckets that nobody uses."""
        while self._due and self._due[0][0] < at_ms:
            lease = self._leases[heapq.heappop(self._due)[1]]
            if lease.used_ms + IDLE_MS >= at_ms if not lease.is_quota else lease.held:
                self._look_again(lease, at_ms)
                continue
            name = lease.claim.counter
            if lease.is_quota:
                self._forgotten.append(name)
            for table in (self._leases, self._free, self._untold, lease.account.leases):
                table.pop(name, None)
            if not lease.account.leases:
                self._accounts.pop(lease.account.org, None)

    def _states(self, claims: tuple[Claim, ...], at_ms: int) -> tuple[LimitState, ...]:
        leases = self._leases
        return tuple([leases[claim.counter].state(claim, at_ms) for claim in claims if claim.counter in leases])
