"""The counters' server as plain Python: what the four Lua scripts do, over a dict and a clock that is given in.

Written from the rules, not from the Lua: the state machine runs on it, and the Lua must answer the same.
"""

from copy import deepcopy
from dataclasses import dataclass, field

from gateway import names
from gateway.leases import GRACE_MS

LAST_SEQ = (1 << 53) - 1
WORDS = 12


@dataclass
class Owner:
    granted: int = 0
    settled: int = 0
    returned: int = 0
    seq: int = 0
    since: int = 0


@dataclass
class Quota:
    epoch: int
    used: int = 0
    settled: int = 0
    version: int = -1
    limit: int = 0
    owners: dict[str, Owner] = field(default_factory=dict)


@dataclass
class Bucket:
    level: int  # tokens × ms
    at: int
    version: int
    limit: int
    refill: int
    ms: int


@dataclass
class Wish:
    """One counter of a request."""

    key: str
    kind: str
    need: int
    want: int
    granted: int
    settled: int
    returned: int
    limit: int
    version: int
    hard: bool
    ends: int
    refill: int
    ms: int

    @classmethod
    def read(cls, key: str, words: list) -> "Wish":
        kind, *numbers = words
        wish = cls(key, kind, *map(int, numbers))
        wish.hard, wish.refill, wish.ms = bool(wish.hard), max(1, wish.refill), max(1, wish.ms)
        return wish


class CounterModel:
    def __init__(self) -> None:
        self.epochs: dict[str, int] = {}  # key → epoch
        self.quotas: dict[str, Quota] = {}
        self.buckets: dict[str, Bucket] = {}

    # --- the server's misfortunes ---

    def snapshot(self) -> tuple:
        return deepcopy((self.epochs, self.quotas, self.buckets))

    def restore(self, snapshot: tuple) -> None:
        self.epochs, self.quotas, self.buckets = deepcopy(snapshot)

    def flush(self) -> None:
        self.__init__()  # type: ignore[misc]

    # --- leases.lua ---

    def claim(self, keys: list[str], args: list, at: int) -> list:
        owner, seq, epoch, generation, since = args[0], *map(int, args[1:5])
        trusted = self.epochs.get(keys[0], 0)
        if not generation or trusted < generation or trusted < epoch:
            trusted = 0
        if 0 < epoch < trusted:
            return [b"moved", trusted, at, 0]
        words = [args[i : i + WORDS] for i in range(5, len(args), WORDS)]
        wishes = [Wish.read(key, w) for key, w in zip(keys[1:], words, strict=True)]
        if not trusted and (
            not any(wish.need for wish in wishes) or any(w.need and w.hard and w.kind == "quota" for w in wishes)
        ):
            return [b"rebuild", 0, at, 0]
        counters = [
            (_QuotaWish if wish.kind == "quota" else _BucketWish)(self, wish, owner, seq, trusted, since, at)
            for wish in wishes
        ]
        short = next((i for i, c in enumerate(counters, 1) if 0 < c.wish.need > c.room()), 0)
        status = "ok"
        if any(c.old for c in counters):
            status = "old"
        elif any(c.over and c.wish.need for c in counters):
            status = "ended"
        elif short:
            status = "refused"
        answer = [status.encode(), trusted, at, short if status == "refused" else 0]
        for counter in counters:
            if status == "ok" and counter.wish.need:
                counter.take(min(counter.wish.want, counter.room()))
            counter.save()
            answer += counter.tell()
        return answer

    # --- rebuild ---

    def void(self, org: str) -> None:
        self.epochs.pop(names.epoch(org), None)

    def seed(self, org: str, epoch: int, counters: dict[str, tuple[int, dict[str, tuple[int, int, int]]]]) -> bool:
        """counters: key → (recorded, owner → (units, sent, since))"""
        if self.epochs.get(names.epoch(org), 0) >= epoch:
            return False
        for key, (recorded, owners) in counters.items():
            quota = self.quotas[key] = Quota(epoch, used=recorded, settled=recorded)
            for owner, (units, sent, since) in owners.items():
                quota.used += units
                quota.owners[owner] = Owner(granted=units, seq=sent, since=since)
        self.epochs[names.epoch(org)] = epoch
        return True

    def reclaim(self, key: str, epoch: int, owner: str, spent: int) -> bool:
        quota = self.quotas.get(key)
        if (
            quota is None
            or not quota.epoch == epoch == self.epochs.get(names.epoch(names.organization_of(key)))
            or owner not in quota.owners
        ):
            return False
        mine = quota.owners[owner]
        quota.used += spent - (mine.granted - mine.returned)
        quota.settled += spent - mine.settled
        granted = max(mine.granted, spent)
        quota.owners[owner] = Owner(granted, spent, granted - spent, LAST_SEQ, mine.since)
        return True


class _QuotaWish:
    def __init__(
        self, model: CounterModel, wish: Wish, owner: str, seq: int, trusted: int, since: int, at: int
    ) -> None:
        self.model, self.wish, self.trusted, self.at = model, wish, trusted, at
        self.owner = owner
        self.over = wish.ends > 0 and at >= wish.ends + GRACE_MS
        known = model.quotas.get(wish.key)
        self.new = known is None or known.epoch != trusted
        self.state = Quota(trusted) if self.new else deepcopy(known)
        mine = self.state.owners.setdefault(owner, Owner(since=since))
        self.old = bool(trusted) and seq <= mine.seq
        grew = (
            max(0, wish.granted - mine.granted),
            max(0, wish.settled - mine.settled),
            max(0, wish.returned - mine.returned),
        )
        mine.granted, mine.settled, mine.returned = (
            mine.granted + grew[0],
            mine.settled + grew[1],
            mine.returned + grew[2],
        )
        mine.seq = max(mine.seq, seq)
        self.state.used += grew[0] - grew[2]
        self.state.settled += grew[1]
        if wish.version >= self.state.version:
            self.state.version, self.state.limit = wish.version, wish.limit
        self.mine = mine

    def room(self) -> int:
        return self.state.limit - self.state.used if self.wish.hard else self.wish.want

    def take(self, units: int) -> None:
        self.mine.granted += units
        self.state.used += units

    def save(self) -> None:
        if self.trusted and not (self.new and self.over):
            self.model.quotas[self.wish.key] = self.state

    def tell(self) -> list[int]:
        state, mine = self.state, self.mine
        left_ms = max(0, self.wish.ends - self.at) if self.wish.ends else 0
        return [
            mine.granted,
            mine.settled,
            mine.returned,
            state.limit,
            max(0, state.limit - state.used),
            left_ms,
            state.used - state.settled,
            0,
        ]


class _BucketWish:
    old = over = False

    def __init__(
        self, model: CounterModel, wish: Wish, owner: str, seq: int, trusted: int, since: int, at: int
    ) -> None:
        self.model, self.wish, self.given = model, wish, 0
        known = model.buckets.get(wish.key)
        if known is None:
            self.state = Bucket(wish.limit * wish.ms, at, wish.version, wish.limit, wish.refill, wish.ms)
            return
        now = max(at, known.at)
        level = known.level + (now - known.at) * known.refill
        self.state = state = Bucket(level, now, known.version, known.limit, known.refill, known.ms)
        if wish.version >= known.version:
            state.version, state.limit, state.refill, state.ms = wish.version, wish.limit, wish.refill, wish.ms
        if state.ms != known.ms:
            state.level = int(level / known.ms * state.ms)
        state.level = min(state.limit * state.ms, state.level)

    def room(self) -> int:
        return self.state.level // self.state.ms

    def take(self, units: int) -> None:
        self.given = units
        self.state.level -= units * self.state.ms

    def save(self) -> None:
        self.model.buckets[self.wish.key] = self.state

    def tell(self) -> list[int]:
        state = self.state
        full = state.limit * state.ms
        wait = max(0, -(-(self.wish.need * state.ms - state.level) // state.refill))
        return [self.given, 0, 0, state.limit, self.room(), -(-(full - state.level) // state.refill), 0, wait]
