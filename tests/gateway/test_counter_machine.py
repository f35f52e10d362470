"""The proof obligation of the counters: whatever is lost, late, repeated or out of order, whoever dies.

Always:   settled + outstanding <= the highest limit ever in force, for every hard quota. A server that silently lost
          acknowledged grants may add those grants, once; a worker that sleeps through a rebuild what it held then.
At rest:  what the server says is used is exactly what calls used up: nothing was granted or given back twice, and no
          unit is lost while its owner lives, or once a dead owner's journal is stored.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.gateway.counter_model import CounterModel
from tests.gateway.counter_network import arrive_unheard, settle_network
from tests.gateway.counter_world import CALLS, EPOCH, START_MS, WINDOW_MS, Version, World

INDEX = st.integers(0, 1000)
ENDINGS = st.lists(st.sampled_from([None, True, False]), min_size=1, max_size=6)
# c: call, t: tell, u: a call ends; r: the last request arrives (R: and stays to come again), h: the last reply is
# heard (H: and again), x: it is lost, g: the call is given up
FATES = ("crHh", "cRrhh", "crxg", "ctrRx", "cRgh", "crtRhg", "crxtrh", "cRhtRxrhg", "crhutrcrxgh", "crhcruh", "cg")
MOSTLY = st.sampled_from([True, True, True, False])
MEANWHILE = st.lists(
    st.tuples(
        st.sampled_from(
            ["use", "use", "use", "give", "commit", "commit", "call", "tell", "arrive", "kill", "start", "hear"]
        ),
        st.integers(0, 9),
    ),
    max_size=3,
)


class ModelStore(CounterModel):
    """The model is its own server."""

    @property
    def model(self) -> CounterModel:
        return self


class CounterMachine(RuleBasedStateMachine):
    def make_store(self):
        return ModelStore()

    @initialize(sizes=st.lists(st.sampled_from([0, 0, 3]), min_size=1, max_size=3))
    def begin(self, sizes: list[int]) -> None:
        self.world = World(self.make_store())
        for size in sizes:
            self.world.start(size=size, skew_ms=0)
        self.rebuild_now()

    def pick(self, things: list, index: int):
        return things[index % len(things)]

    # --- calls ---

    @precondition(lambda self: self.world.workers)
    @rule(index=INDEX, kinds=st.sampled_from(CALLS))
    def call(self, index: int, kinds: str) -> None:
        self.world.call(self.pick(self.world.workers, index), kinds)

    @precondition(lambda self: self.world.workers)
    @rule(index=INDEX, kinds=st.sampled_from(CALLS), endings=ENDINGS)
    def calls_that_arrive(self, index: int, kinds: str, endings: list) -> None:
        """Calls whose messages arrive at once; some of them end at once, too."""
        worker = self.pick(self.world.workers, index)
        for used in endings:
            self.world.call(worker, kinds)
            settle_network(self.world, worker)
            if used is not None and worker.calls:
                self.world.end(worker, len(worker.calls) - 1, used=used)

    @precondition(lambda self: self.world.workers)
    @rule(index=INDEX, kinds=st.sampled_from(CALLS), fate=st.sampled_from(FATES))
    def call_over_a_bad_network(self, index: int, kinds: str, fate: str) -> None:
        worker = self.pick(self.world.workers, index)
        for step in fate:
            self.befall(worker, kinds, step)

    def befall(self, worker, kinds: str, step: str) -> None:
        world = self.world
        if step == "c":
            world.call(worker, kinds)
        elif step == "t":
            world.tell(worker, now=True)
        elif step == "u" and worker.calls:
            world.end(worker, 0, used=True)
        elif step in "rR" and world.requests:
            world.deliver(len(world.requests) - 1, repeat=step == "R")
        elif step in "hH" and world.replies:
            world.hear(len(world.replies) - 1, repeat=step == "H")
        elif step == "x" and world.replies:
            world.replies.pop()
        elif step == "g" and worker.asking:
            world.give_up(worker, -1)

    @precondition(lambda self: any(worker.calls for worker in self.world.workers))
    @rule(index=INDEX, call=INDEX, used=st.booleans())
    def end(self, index: int, call: int, used: bool) -> None:
        worker = self.pick([worker for worker in self.world.workers if worker.calls], index)
        self.world.end(worker, call % len(worker.calls), used=used)

    @precondition(lambda self: self.world.workers)
    @rule(index=INDEX, now=st.booleans())
    def tell(self, index: int, now: bool) -> None:
        self.world.tell(self.pick(self.world.workers, index), now=now)

    # --- network ---

    @precondition(lambda self: self.world.requests)
    @rule(index=INDEX, repeat=st.booleans())
    def deliver(self, index: int, repeat: bool) -> None:
        self.world.deliver(index % len(self.world.requests), repeat=repeat)

    @precondition(lambda self: self.world.replies)
    @rule(index=INDEX, repeat=st.booleans())
    def hear(self, index: int, repeat: bool) -> None:
        self.world.hear(index % len(self.world.replies), repeat=repeat)

    @precondition(lambda self: self.world.requests or self.world.replies)
    @rule()
    def all_arrives(self) -> None:
        settle_network(self.world)

    @precondition(lambda self: self.world.requests)
    @rule(index=INDEX)
    def lose_request(self, index: int) -> None:
        del self.world.requests[index % len(self.world.requests)]

    @precondition(lambda self: self.world.replies)
    @rule(index=INDEX)
    def lose_reply(self, index: int) -> None:
        del self.world.replies[index % len(self.world.replies)]

    @precondition(lambda self: any(worker.asking for worker in self.world.workers))
    @rule(index=INDEX, call=INDEX)
    def give_up(self, index: int, call: int) -> None:
        worker = self.pick([worker for worker in self.world.workers if worker.asking], index)
        self.world.give_up(worker, call % len(worker.asking))

    # --- workers ---

    @precondition(lambda self: len(self.world.workers) < 4)
    @rule(size=st.sampled_from([0, 2, 5]), skew_ms=st.sampled_from([0, -40, 40]))
    def start(self, size: int, skew_ms: int) -> None:
        self.world.start(size=size, skew_ms=skew_ms)

    @precondition(lambda self: self.world.workers)
    @rule(index=INDEX, kinds=st.sampled_from(CALLS), calls=st.integers(0, 2))
    def kill(self, index: int, kinds: str, calls: int) -> None:
        """With calls in flight, and the last words still on their way."""
        worker = self.pick(self.world.workers, index)
        self.calls_that_arrive(index, kinds, [None, True][:calls])
        self.world.call(worker, kinds)
        self.world.stop(worker)

    @precondition(lambda self: self.world.dead)
    @rule(index=INDEX)
    def reclaim(self, index: int) -> None:
        worker = self.pick(self.world.dead, index)
        self.world.commit(worker, len(worker.journal))
        self.world.reclaim(worker)

    @rule(index=INDEX, count=st.integers(1, 5))
    def commit(self, index: int, count: int) -> None:
        if self.world.everyone():
            self.world.commit(self.pick(self.world.everyone(), index), count)

    @precondition(lambda self: self.world.behind())
    @rule()
    def heal(self) -> None:
        self.rebuild_now()

    # --- time and plans ---

    @rule(ms=st.sampled_from([1, 60, 300, 1500, 2500]))
    def wait(self, ms: int) -> None:
        self.world.now += ms

    @rule()
    def roll_over(self) -> None:
        self.world.now = ((self.world.now + 30) // WINDOW_MS + 1) * WINDOW_MS - 30

    @precondition(lambda self: len(self.world.versions) < 4)
    @rule(quota=st.integers(1, 12), ever=st.integers(1, 12), burst=st.integers(1, 6))
    def publish(self, quota: int, ever: int, burst: int) -> None:
        self.world.versions.append(Version(len(self.world.versions) + 1, quota, ever, 3, burst))

    @precondition(lambda self: self.world.workers)
    @rule(index=INDEX)
    def learn(self, index: int) -> None:
        self.pick(self.world.workers, index).version = len(self.world.versions) - 1

    # --- the server's misfortunes ---

    @rule(back=MOSTLY)
    def lose_everything(self, back: bool) -> None:
        self.world.lose_everything()
        if back:
            self.rebuild_now()

    @rule(noticed=st.booleans(), back=MOSTLY, index=INDEX, kinds=st.sampled_from(CALLS), endings=ENDINGS)
    def lose_last_writes(self, noticed: bool, back: bool, index: int, kinds: str, endings: list) -> None:
        """A restart or failover to a state before some calls; noticed by its run, or not at all."""
        world = self.world
        world.save()
        if world.workers:
            self.calls_that_arrive(index, kinds, endings)
        if noticed:
            world.restart(world.snapshot)
            if back:
                self.rebuild_now()
        else:
            world.fail_over()

    @rule(back=MOSTLY)
    def restart(self, back: bool) -> None:
        self.world.restart(None)
        if back:
            self.rebuild_now()

    # --- rebuild ---

    @precondition(lambda self: not self.world.generation)
    @rule()
    def open_run(self) -> None:
        self.world.open_run()

    @precondition(lambda self: self.world.workers)
    @rule(index=INDEX)
    def hear_run(self, index: int) -> None:
        self.world.hear_run(self.pick(self.world.workers, index))

    @rule(
        busy=st.lists(st.tuples(INDEX, st.sampled_from(CALLS)), max_size=4),
        parts=st.tuples(MEANWHILE, MEANWHILE, MEANWHILE, MEANWHILE),
        patient=st.booleans(),
        finish=MOSTLY,
    )
    def rebuild(self, busy: list, parts: tuple, patient: bool, finish: bool) -> None:
        """Snapshot, announcement, answers, setting; the world does not stand still in between."""
        world = self.world
        for index, kinds in busy if world.workers else ():
            self.calls_that_arrive(index, kinds, [None])
        if not world.generation:
            world.open_run()
        world.begin()
        self.meanwhile(parts[0])
        world.announce()
        self.meanwhile(parts[1])
        for worker in self.silent() if patient else self.silent()[:1]:
            if worker.alive:
                world.join(worker)
            self.meanwhile(parts[2])
        self.meanwhile(parts[3])
        if finish:
            world.set()
            for worker in world.workers if patient else ():
                world.hear_run(worker)
        world.round = None

    def silent(self) -> list:
        return [worker for worker in self.world.workers if worker.joined < self.world.round.number]

    def meanwhile(self, things: list) -> None:
        world = self.world
        for what, index in things:
            if what == "commit" and world.everyone():
                world.commit(self.pick(world.everyone(), index), 5)
            elif what == "start":
                world.start(size=0, skew_ms=0)
            elif what == "hear":
                for worker in world.workers:
                    world.hear_run(worker)
            elif what == "arrive":
                settle_network(self.world)
            elif world.workers:
                self.do(self.pick(world.workers, index), what)

    def do(self, worker, what: str) -> None:
        if what == "call":
            self.world.call(worker, "QS")
        elif what == "tell":
            self.world.tell(worker, now=True)
        elif what == "kill":
            self.world.stop(worker)
        elif worker.calls:
            self.world.end(worker, 0, used=what == "use")

    # --- what must hold ---

    @invariant()
    def never_more_than_the_limit(self) -> None:
        held = self.world.charged() + self.world.outstanding()
        for name, units in held.items():
            if ":S:" not in name:
                assert units <= self.world.cap[name] + self.world.slack[name], (name, units)

    @invariant()
    def nothing_is_negative(self) -> None:
        for worker in self.world.workers:
            for lease in worker.leases._leases.values():
                assert lease.free >= 0
                assert lease.claim.kind == "bucket" or lease.held >= 0

    @invariant()
    def buckets_keep_their_rate(self) -> None:
        bursts = max(version.burst for version in self.world.versions) * self.world.bucket_resets
        assert self.world.granted_tokens <= bursts + (self.world.now - START_MS) // 100
        free = sum(
            lease.free
            for worker in self.world.workers
            for lease in worker.leases._leases.values()
            if lease.claim.kind == "bucket"
        )
        assert sum(worker.tokens for worker in self.world.everyone()) + free <= self.world.granted_tokens

    # --- at rest ---

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        late, world.requests = world.requests[::2], world.requests[1::2]
        if not world.generation or not self.in_force() or self.ahead():
            self.rebuild_now()
        self.come_to_rest()
        world.requests = late
        arrive_unheard(self.world)
        self.reclaim_all()
        if world.exact:
            self.check_used(exact="Q", kinds="QA")
        if world.behind():
            self.rebuild_now()
            self.come_to_rest()
        self.check_used(exact="QS")
        world.lose_everything()
        self.rebuild_now()
        self.come_to_rest()
        self.reclaim_all()
        self.check_used(exact="QSA")

    def in_force(self) -> bool:
        return self.world.store.model.epochs.get(EPOCH, 0) >= self.world.generation

    def ahead(self) -> bool:
        """Some worker has joined a round that was never set."""
        epoch = self.world.store.model.epochs.get(EPOCH, 0)
        return any(a.epoch > epoch for worker in self.world.workers for a in worker.leases._accounts.values())

    def rebuild_now(self) -> None:
        world = self.world
        world.round = None
        if not world.generation:
            world.open_run()
        for worker in world.workers:
            world.hear_run(worker)
        self.rebuild([], ([], [], [], []), patient=True, finish=True)

    def come_to_rest(self) -> None:
        """Some of what is on its way arrives, all calls end, workers tell everything, the dead are reclaimed."""
        world = self.world
        for worker in world.workers:
            world.hear_run(worker)
        settle_network(self.world)
        for _ in range(5):
            for worker in world.workers:
                while worker.calls:
                    world.end(worker, 0, used=True)
                world.give_up_all(worker)
                world.tell(worker, now=True)
            settle_network(self.world)
        for worker in world.workers:
            assert worker.leases.all_told(), "units are lost while their owner lives"
        self.reclaim_all()

    def reclaim_all(self) -> None:
        world = self.world
        for worker in world.everyone():
            world.commit(worker, len(worker.journal))
        for worker in world.dead:
            world.reclaim(worker)

    def check_used(self, *, exact: str, kinds: str = "QSA") -> None:
        world, charged = self.world, self.world.charged()
        for claims in world.open_windows():
            for claim in claims:
                quota = world.store.model.quotas.get(claim.counter)
                used = quota.used if quota else 0
                assert used >= charged[claim.counter] or claim.name not in kinds
                if claim.name in exact:
                    assert used == charged[claim.counter], claim.counter
                    assert quota is None or quota.settled == used, claim.counter


TestCounters = CounterMachine.TestCase
