"""What one worker and the counters' server say to each other in a tick: claims, totals, and who has lived since when.

Every pipeline also asks for the server's run and rebuild round, and for the directory's version; and it registers
what this worker is about to hold, so that it can be given back should the worker die.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeVar

import msgspec
from redis import ResponseError

from gateway import names
from gateway.call import Claim
from gateway.clock import Clock
from gateway.counter_link import Answer, Command, Link, LinkDown
from gateway.lease import Request
from gateway.lease_script import Reply
from gateway.leases import Leases
from gateway.rebuild import Joined

Read = TypeVar("Read")
GOODBYE_TICKS = 20
_RUN: Command = ("HMGET", names.RUN, "run_id", "generation", "round")
_VERSION: Command = ("GET", names.DIRECTORY_VERSION)
_ALWAYS: tuple[Command, ...] = (_RUN, _VERSION, ("TIME",))


class Position(Protocol):
    """The journal, as far as counters care: `gateway.journal.Journal`."""

    def read(self, outstanding: Callable[[], Read]) -> tuple[int, Read]:
        """Return (last seq, outstanding()) as of one instant."""


class Exchange:
    """One worker's leases, link and place among the rebuild rounds. Not thread-safe.

    `settle_all` applies the endings noted so far: an ending is noted while the journal writes its event, so
    under `journal.read` both are complete. Raises LinkDown from whatever talks.
    """

    def __init__(
        self, link: Link, leases: Leases, *, journal: Position, clock: Clock, settle_all: Callable[[], None]
    ) -> None:
        self._link, self._leases, self._journal, self._clock = link, leases, journal, clock
        self._settle_all = settle_all
        self._registered_from = 0  # what was last heard of before this seq is not registered on this server
        self._rebuild: set[str] = set()  # organizations that wait for it
        self._joined_round = 0
        self._said = (0, b"")  # in which round this worker said what
        self.directory_version = ""

    @property
    def is_open(self) -> bool:
        return self._link.is_open

    def drop(self) -> None:
        """Give up the connection."""
        self._link.close()

    def open(self) -> None:
        """Connect, and doubt everything that the server had confirmed before."""
        self._link.open(probe=("SADD", names.OWNERS, self._leases.owner))
        self._registered_from = self._leases.seq
        self._leases.doubt_all()
        self._clock.doubt()
        sent_s = self._clock.monotonic_s()
        self._hear(self._link.demand(_ALWAYS), sent_s, self._clock.monotonic_s())

    def close(self) -> None:
        """Give everything back and say goodbye; calls still in flight are left to the reclaim."""
        if not self._link.is_open:
            return
        for _ in range(GOODBYE_TICKS):
            self.tick([], but=())
            if self._leases.all_told():
                owner = self._leases.owner
                self._link.demand([("SREM", names.OWNERS, owner), ("DEL", names.held_by(owner))])
                break
        self._link.close()

    def tick(self, wanted: Sequence[tuple[Claim, ...]], *, but: Collection[str]) -> list[Reply | None]:
        """Tell what is untold and claim what is wanted; return one reply each, None where the server failed it.

        Counters in `but` are needed by somebody: what is free of them is not given back.
        """
        at_ms = self._clock.now_ms()
        tells = self._leases.tell(at_ms=at_ms, now=True, but=but)
        requests = [*tells, *(self._leases.request(claims, at_ms=at_ms) for claims in wanted)]
        commands = [*_ALWAYS, *self._upkeep(requests)]
        scripts = [(len(request.keys), *request.keys, *request.args) for request in requests]
        sent_s = self._clock.monotonic_s()
        try:
            plain, ran = self._link.run(commands, scripts)
        except LinkDown:
            for request in requests:
                self._leases.lost(request)
            raise
        received_s = self._clock.monotonic_s()
        replies = [self._absorb(request, answer) for request, answer in zip(requests, ran, strict=True)]
        self._hear(plain[: len(_ALWAYS)], sent_s, received_s)
        return replies[len(tells) :]

    # --- within ---

    def _upkeep(self, requests: Sequence[Request]) -> list[Command]:
        """Register what is new, forget what is over, and name the organizations that cannot be served."""
        new = [
            lease.claim.counter
            for request in requests
            for lease in request.leases
            if lease.heard <= self._registered_from and lease.claim.kind == "quota"
        ]
        owner, commands = self._leases.owner, list[Command]()
        if new:
            commands += [("SADD", names.OWNERS, owner), ("SADD", names.held_by(owner), *new)]
        if forgotten := self._leases.take_forgotten():
            commands.append(("SREM", names.held_by(owner), *forgotten))
        if self._rebuild:
            commands.append(("SADD", names.REBUILD, *sorted(self._rebuild)))
            self._rebuild = set()
        return commands

    def _absorb(self, request: Request, answer: Answer) -> Reply | None:
        if isinstance(answer, ResponseError):
            self._leases.lost(request)
            return None
        reply = self._leases.absorb(request, answer, at_ms=self._clock.now_ms())
        if reply.status == "rebuild":
            self._rebuild.add(request.account.org)
            self._registered_from = self._leases.seq
        elif reply.status == "moved":
            self._join([request.account.org], epoch=reply.epoch)
        return reply

    def _hear(self, answers: Sequence[Answer], sent_s: float, received_s: float) -> None:
        """Learn the run, the directory's version and the time; join a rebuild round that has been opened."""
        for answer in answers:
            if isinstance(answer, ResponseError):
                self._link.close()
                raise LinkDown(answer)
        (run_id, generation, number), version, (seconds, micros) = answers
        server_ms = int(seconds) * 1000 + int(micros) // 1000
        self._clock.sample(server_ms, sent_s=sent_s, received_s=received_s)
        self._leases.generation = int(generation or 0) if run_id == self._link.run_id else 0
        self.directory_version = (version or b"").decode()
        if self._leases.generation and int(number or 0) > self._joined_round:
            self._join_round(int(number))

    def _join_round(self, number: int) -> None:
        """Answer a rebuild round: how far the journal is, and which units are outstanding beyond it."""
        orgs = self._link.demand([("HGET", names.round_of(number), "orgs")])[0]
        if orgs is not None:
            if self._said[0] != number:  # a repeated answer must not be a newer one
                self._said = number, msgspec.json.encode(self._join(msgspec.json.decode(orgs), epoch=number))
            self._link.demand([("HSET", names.round_of(number), self._leases.owner, self._said[1])])
        self._joined_round = number

    def _join(self, orgs: Sequence[str], *, epoch: int) -> Joined:
        seq, outstanding = self._journal.read(lambda: self._outstanding(orgs, epoch))
        self._leases.rebase(orgs, epoch=epoch, since=seq)
        self._registered_from = self._leases.seq
        return Joined(seq=seq, sent=self._leases.seq, outstanding=outstanding)

    def _outstanding(self, orgs: Sequence[str], epoch: int) -> dict[str, int]:
        self._settle_all()
        return self._leases.outstanding(orgs, before=epoch)
