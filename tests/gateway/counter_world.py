"""A small world for the counters: workers, a server, a network that does what it likes, and the truth beside them.

The state machine (`test_counter_machine.py`) acts here. What is written here of the workers is what
`gateway/counter_exchange.py` does; the leases themselves are the product's.
"""

from collections import Counter
from dataclasses import dataclass, field

from gateway import names
from gateway.call import Claim, Left, Refusal
from gateway.lease import Request
from gateway.lease_script import Reply
from gateway.leases import GRACE_MS, Leases

ORG = "o"
EPOCH = names.epoch(ORG)
WINDOW_MS = 10_000
START_MS = 4_000_000_000_000  # far from the real clock: nothing expires while a test runs
CALLS = ("Q", "Q", "QB", "AQB", "SB", "QS", "B", "A", "QQ")  # which limits a call claims from; QQ: two units


@dataclass
class Version:
    """One version of all limits."""

    number: int
    quota: int
    ever: int
    soft: int
    burst: int

    def claims(self, kinds: str, at_ms: int) -> tuple[Claim, ...]:
        units = 2 if kinds == "QQ" else 1
        start = at_ms // WINDOW_MS * WINDOW_MS
        shapes = {
            "Q": ("quota", "billable", self.quota, True, "sub", start),
            "A": ("quota", "admitted", self.ever, True, "key", 0),
            "S": ("quota", "billable", self.soft, False, "sub", start),
            "B": ("bucket", "billable", self.burst, True, "sub", 0),
        }
        found = []
        for name in dict.fromkeys(kinds):
            kind, meter, limit, hard, subject, window = shapes[name]
            found.append(
                Claim(
                    counter=names.counter(ORG, subject=subject, limit=name, window_start_ms=window),
                    kind=kind,  # type: ignore[arg-type]
                    name=name,
                    meter=meter,  # type: ignore[arg-type]
                    limit=limit,
                    version=self.number,
                    hard=hard,
                    refusal="quota_exceeded",
                    window_start_ms=window,
                    window_end_ms=window and window + WINDOW_MS,
                    refill=1 if kind == "bucket" else 0,
                    refill_ms=100 * self.number if kind == "bucket" else 0,
                    units=units,
                )
            )
        return tuple(found)


@dataclass
class Asking:
    """A call that waits for its units."""

    claims: tuple[Claim, ...]
    request: Request


@dataclass(eq=False)
class Worker:
    owner: str
    leases: Leases
    skew_ms: int
    version: int
    journal: list[Counter] = field(default_factory=list)  # per event: counter → units it counts
    calls: list[tuple[Claim, ...]] = field(default_factory=list)
    asking: list[Asking] = field(default_factory=list)
    unheard: dict[int, Request] = field(default_factory=dict)  # sent, and no reply came yet
    tokens: int = 0  # spent from buckets
    joined: int = 0
    alive: bool = True

    @property
    def outstanding(self) -> Counter:
        """What it believes to hold, per quota counter."""
        found: Counter = Counter()
        for name, lease in self.leases._leases.items():
            if lease.claim.kind == "quota":
                found[name] = lease.held + lease.free
        return found


@dataclass
class Round:
    """A rebuild under way."""

    recorded: Counter
    committed: dict[str, int]
    number: int = 0
    answers: dict[str, tuple[int, int, dict[str, int]]] = field(default_factory=dict)  # owner → seq, sent, outstanding


class World:
    def __init__(self, store) -> None:
        self.store, self.now = store, START_MS
        self.workers: list[Worker] = []
        self.dead: list[Worker] = []
        self.versions = [Version(1, 6, 8, 3, 4)]
        self.requests: list[tuple[Worker, Request]] = []
        self.replies: list[tuple[Worker, Request, list]] = []
        self.registered: set[tuple[str, str]] = set()  # (owner, counter), as the server knows it
        self.committed: dict[str, int] = {}
        self.numbers = 10  # of generations and rounds
        self.generation = 0
        self.round: Round | None = None
        self.snapshot: tuple | None = None
        # the truth, for the invariants
        self.cap: Counter = Counter()  # highest limit a counter was ever claimed under
        self.slack: Counter = Counter()  # what a misfortune may let pass beyond it
        self.granted_tokens, self.bucket_resets = 0, 1
        self.newest: Counter = Counter()  # newest version that the server was shown
        self.reclaimed: set[tuple[str, str, int]] = set()  # owner, counter, epoch
        self.exact = True  # nothing happened that only healing can set right

    # --- what the truth is ---

    def everyone(self) -> list[Worker]:
        return self.workers + self.dead

    def charged(self) -> Counter:
        return sum((event for worker in self.everyone() for event in worker.journal), Counter())

    def outstanding(self) -> Counter:
        return sum((worker.outstanding for worker in self.workers), Counter())

    def recorded(self) -> Counter:
        """What the database holds."""
        events = (e for w in self.everyone() for e in w.journal[: self.committed.get(w.owner, 0)])
        return sum(events, Counter())

    def open_windows(self) -> list[tuple[Claim, ...]]:
        """The quotas that calls can claim from now: the present window, one that just ended, one about to begin."""
        instants = {at // WINDOW_MS * WINDOW_MS for at in (self.now - GRACE_MS + 1, self.now, self.now + 1000)}
        return [self.versions[-1].claims("QAS", at) for at in sorted(instants)]

    # --- workers ---

    def start(self, *, size: int, skew_ms: int) -> Worker:
        worker = Worker(
            f"w{len(self.everyone())}", Leases("", size=lambda claim, left: size), skew_ms, len(self.versions) - 1
        )
        worker.leases.owner = worker.owner
        worker.leases.generation = self.generation
        self.workers.append(worker)
        return worker

    def call(self, worker: Worker, kinds: str) -> None:
        claims = self.versions[worker.version].claims(kinds, self.now + worker.skew_ms)
        self._try(worker, claims)

    def _try(self, worker: Worker, claims: tuple[Claim, ...]) -> None:
        try:
            left = worker.leases.spend(claims, at_ms=self.now + worker.skew_ms)
        except Refusal:
            return
        if left is not None:
            assert isinstance(left, Left)
            worker.calls.append(claims)
            worker.tokens += sum(claim.units for claim in claims if claim.kind == "bucket")
        else:
            request = worker.leases.request(claims, at_ms=self.now + worker.skew_ms)
            worker.asking.append(Asking(claims, request))
            self._send(worker, request)

    def _send(self, worker: Worker, request: Request) -> None:
        worker.unheard[request.seq] = request
        self.requests.append((worker, request))

    def end(self, worker: Worker, index: int, *, used: bool) -> None:
        """Journal and settle, in one instant."""
        claims = worker.calls.pop(index)
        spent = [c for c in claims if c.kind == "quota" and (used or c.meter == "admitted")]
        worker.journal.append(Counter({claim.counter: claim.units for claim in spent}))
        worker.leases.settle(claims, used=used)

    def tell(self, worker: Worker, *, now: bool) -> None:
        for request in worker.leases.tell(at_ms=self.now + worker.skew_ms, now=now):
            self._send(worker, request)

    def stop(self, worker: Worker) -> None:
        """kill -9: what is in flight is gone, the journal stays."""
        self.workers.remove(worker)
        self.dead.append(worker)
        worker.alive = False

    # --- network ---

    def deliver(self, index: int, *, repeat: bool) -> None:
        """Let the server execute a request."""
        worker, request = self.requests[index] if repeat else self.requests.pop(index)
        for lease in request.leases:
            if lease.claim.kind == "quota":
                self.registered.add((worker.owner, lease.claim.counter))
        answer = self.store.claim(request.keys, request.args, self.now)
        self._check_answer(worker, request, answer)
        self.replies.append((worker, request, answer))

    def _check_answer(self, worker: Worker, request: Request, answer: list) -> None:
        status, trusted = answer[0], answer[1]
        for i, lease in enumerate(request.leases if len(answer) > 4 else ()):
            claim = request.claims[i] if request.claims else lease.claim
            given = status == b"ok" and int(request.args[5 + 12 * i + 1]) > 0
            if claim.kind == "bucket":
                self.granted_tokens += answer[4 + 8 * i] if given else 0
            elif trusted:
                quota = self.store.model.quotas.get(claim.counter)
                if quota is not None and quota.epoch == trusted:
                    shown = int(request.args[5 + 12 * i + 7])
                    self.newest[claim.counter] = max(self.newest[claim.counter], shown)
                    newest = self.versions[self.newest[claim.counter] - 1]
                    assert quota.limit == {"Q": newest.quota, "A": newest.ever, "S": newest.soft}[claim.name]
                    self.cap[claim.counter] = max(self.cap[claim.counter], quota.limit)
                    assert not given or not claim.hard or quota.used <= quota.limit
                    assert not given or (worker.owner, claim.counter, trusted) not in self.reclaimed

    def hear(self, index: int, *, repeat: bool) -> None:
        worker, request, answer = self.replies[index] if repeat else self.replies.pop(index)
        if not worker.alive:
            return
        worker.unheard.pop(request.seq, None)
        reply = worker.leases.absorb(request, answer, at_ms=self.now + worker.skew_ms)
        if reply.status == "moved":
            worker.leases.rebase([ORG], epoch=reply.epoch, since=len(worker.journal))
        asking = next((asking for asking in worker.asking if asking.request is request), None)
        if asking is not None:
            worker.asking.remove(asking)
            self._answer(worker, asking, reply)

    def _answer(self, worker: Worker, asking: Asking, reply: Reply) -> None:
        if reply.status in ("ok", "old", "moved"):
            self._try(worker, asking.claims)

    def give_up(self, worker: Worker, index: int) -> None:
        request = worker.asking.pop(index).request
        worker.leases.lost(request)
        worker.unheard.pop(request.seq, None)

    def give_up_all(self, worker: Worker) -> None:
        for request in worker.unheard.values():
            worker.leases.lost(request)
        worker.asking.clear()
        worker.unheard.clear()

    # --- the server ---

    def new_number(self) -> int:
        self.numbers += 1
        return self.numbers

    def open_run(self) -> None:
        self.generation = self.new_number()

    def hear_run(self, worker: Worker) -> None:
        worker.leases.generation = self.generation

    def lose_everything(self) -> None:
        self.store.flush()
        self.registered, self.generation, self.snapshot = set(), 0, None
        self._forget_server()

    def restart(self, snapshot: tuple | None) -> None:
        """Another life of the server, perhaps without its last writes; whoever connects sees it.

        What had been sent to the earlier life never arrives in this one: the connections are not the same.
        """
        self.requests.clear()
        if snapshot is not None:
            self._restore(snapshot)
        self.generation, self.snapshot = 0, None
        for worker in self.workers:
            worker.leases.generation = 0
        self._forget_server()

    def _forget_server(self) -> None:
        self.bucket_resets += 1
        self.reclaimed.clear()
        self.newest = Counter({name: max(0, quota.version) for name, quota in self.store.model.quotas.items()})
        for worker in self.workers:  # its connection was cut
            worker.leases.doubt_all()

    def save(self) -> None:
        self.snapshot = self.store.snapshot(), set(self.registered)

    def _restore(self, snapshot: tuple) -> None:
        stored, self.registered = snapshot[0], set(snapshot[1])
        self.store.restore(stored)

    def fail_over(self) -> None:
        """A replica takes over without the last writes, and nobody notices."""
        self.exact = False
        before = self.store.model.snapshot()[1]
        self._restore(self.snapshot)
        for name, quota in before.items():
            old = self.store.model.quotas.get(name)
            granted = {owner: mine.granted for owner, mine in old.owners.items()} if old else {}
            self.slack[name] += sum(max(0, m.granted - granted.get(o, 0)) for o, m in quota.owners.items())
            self.slack[name] += max(0, _base(quota) - (_base(old) if old else 0))
        self._forget_server()

    # --- rebuild ---

    def begin(self) -> None:
        """Nothing is granted from here on; then look what is stored."""
        self.store.void(ORG)
        self.round = Round(self.recorded(), dict(self.committed))

    def announce(self) -> None:
        self.round.number = self.new_number()

    def join(self, worker: Worker) -> None:
        """Answer the round, as of one instant."""
        worker.joined = number = self.round.number
        outstanding = worker.leases.outstanding([ORG], before=number)
        worker.leases.rebase([ORG], epoch=number, since=len(worker.journal))
        self.round.answers[worker.owner] = len(worker.journal), worker.leases.seq, outstanding

    def set(self) -> None:
        """Set the counters; who has not answered is counted by its journal."""
        counters = {}
        recorded = Counter(self.round.recorded)
        for worker in self.everyone():
            seq = self.round.answers.get(worker.owner, (len(worker.journal), 0, {}))[0]
            recorded += sum(worker.journal[self.round.committed.get(worker.owner, 0) : seq], Counter())
        for claim in (claim for claims in self.open_windows() for claim in claims):
            holders = {
                owner: (outstanding[claim.counter], sent, seq)
                for owner, (seq, sent, outstanding) in self.round.answers.items()
                if claim.counter in outstanding
            }
            self.registered |= {(owner, claim.counter) for owner in holders}
            counters[claim.counter] = recorded[claim.counter], holders
        for worker in self.workers:
            if worker.owner not in self.round.answers:
                missed = worker.outstanding + self._on_its_way(worker)
                self.slack += missed
                self.exact = self.exact and not missed
        if self.store.seed(ORG, self.round.number, counters):
            self.newest.clear()
        self.round, self.snapshot = None, None

    def _on_its_way(self, worker: Worker) -> Counter:
        """What replies not yet heard will tell a worker that it holds."""
        found: Counter = Counter()
        for other, request, answer in self.replies:
            if other is worker and len(answer) > 4 and answer[1]:
                for i, lease in enumerate(request.leases):
                    if lease.claim.kind == "quota":
                        more = max(0, answer[4 + 8 * i] - lease.granted)
                        found[lease.claim.counter] = max(found[lease.claim.counter], more)
        return found

    # --- upkeep ---

    def commit(self, worker: Worker, count: int) -> None:
        self.committed[worker.owner] = min(len(worker.journal), self.committed.get(worker.owner, 0) + count)

    def reclaim(self, worker: Worker) -> None:
        """A dead worker's journal is stored: what it held beyond goes back."""
        for owner, name in sorted(self.registered):
            quota = self.store.model.quotas.get(name)
            if owner == worker.owner and quota is not None and owner in quota.owners:
                mine = quota.owners[owner]
                spent = sum(event[name] for event in worker.journal[mine.since :])
                if ":A:" in name:
                    spent = mine.granted - mine.returned
                if self.store.reclaim(name, quota.epoch, owner, spent):
                    self.reclaimed.add((owner, name, quota.epoch))
        self.registered = {(owner, name) for owner, name in self.registered if owner != worker.owner}

    def behind(self) -> bool:
        """Whether a counter knows of less than the database holds."""
        for name, units in self.recorded().items():
            quota = self.store.model.quotas.get(name)
            known = quota.used if quota and quota.epoch == self.store.model.epochs.get(EPOCH) else 0
            if units > known and any(claim.counter == name for claims in self.open_windows() for claim in claims):
                return True
        return False


def _base(quota) -> int:
    return quota.used - sum(mine.granted - mine.returned for mine in quota.owners.values())
