"""Drives the flow for doors that may block a thread: the DRF door and the portal's Run panel.

A call is conducted up to the head of its answer; then the door pulls the body. The usage event is in the journal
before the piece that completes the answer is handed out: the whole answer, the last bytes of a known length, or
the end of a body of unknown length.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from gateway import policies
from gateway.call import (
    Call,
    Claim,
    ClientGone,
    FindGrant,
    Forward,
    Headers,
    Left,
    Refusal,
    Reply,
    Respond,
    Sent,
    Spend,
    UsageEvent,
)
from gateway.case import Case
from gateway.endings import usage_event
from gateway.engine import Engine, SyncDesk
from gateway.flow import Command, handle
from gateway.journal import JournalFull
from gateway.records import Grant
from gateway.upstream import ClientLeft, Exchange, RequestBody, UpstreamCut
from kit.ids import uuid7

log = logging.getLogger(__name__)
GONE = 499


class Answer(Struct):
    """An answer to the client. `body` is a list when it is whole; else it is to be iterated, and closed."""

    status: int
    headers: Headers
    body: Iterable[bytes]


def begin(engine: Engine, body: RequestBody, **request: Any) -> "Conversation":
    """Begin a call, which must be answered; `request` are the fields of `Call` that the client decides."""
    at_ms = engine.records.open()
    return Conversation(engine, Call(id=str(uuid7(at_ms)), at_ms=at_ms, **request), body)


class Conversation:
    """One call on its way: `answer` once, then its body to the end. Only `abandon` is for other threads."""

    def __init__(self, engine: Engine, call: Call, body: RequestBody) -> None:
        self.call = call
        self.over = False
        self._engine, self._body = engine, body
        self._desk = SyncDesk(engine, call)
        self._flow = handle(call, self._desk)
        self._began = engine.clock()
        self._claims: tuple[Claim, ...] = ()
        self._exchange: Exchange | None = None
        self._gone = False

    def answer(self) -> Answer:
        """Conduct the call up to its answer. Never raises: our own bugs are a 500 with an event."""
        try:
            return self._conduct()
        except JournalFull:
            return self._plain_answer("metering_unavailable")

    def abandon(self) -> None:
        """The client is gone: whatever the call waits for upstream is cut."""
        self._gone = True
        if self._exchange is not None:
            self._exchange.abort()

    # --- up to the answer ---

    def _conduct(self) -> Answer:
        """Raises JournalFull."""
        try:
            command = self._resume(None)
            while not isinstance(command, Respond):
                command = self._resume(self._performed(command))
            return self._answer(command)
        except StopIteration as end:  # the client left, or broke its body off, before there was an answer
            self._record(end.value)
            return self._plain_answer("bad_request")
        except JournalFull:
            raise
        except Exception:
            log.exception("call %s broke", self.call.id)
            return self._broken()

    def _resume(self, answer: object) -> Command:
        return self._flow.throw(answer) if isinstance(answer, Refusal | ClientGone) else self._flow.send(answer)

    def _performed(self, command: Command) -> object:
        try:
            return PERFORM[type(command)](self, command)
        except (Refusal, ClientGone) as fault:
            return fault

    def _find_grant(self, command: FindGrant) -> Grant:
        call = self.call
        grant = self._engine.lookup.find(command.credential, command.api, client=call.client, at_ms=call.at_ms)
        self._desk.grant_given = grant
        return grant

    def _spend(self, command: Spend) -> Left:
        left = self._engine.records.spend(command.claims)
        self._claims = command.claims
        return left

    def _forward(self, command: Forward) -> Reply:
        exchange = self._exchange = self._engine.upstreams.exchange(command, self._body)
        try:
            if self._gone:
                raise ClientLeft
            return exchange.start()
        except ClientLeft as left:
            raise ClientGone(self.sent(GONE, whole=False)) from left
        except Refusal as refusal:
            if self._gone:  # it was we who cut the connection
                raise ClientGone(self.sent(GONE, whole=False)) from refusal
            raise

    # --- the answer ---

    def _answer(self, command: Respond) -> Answer:
        if command.body is not None:
            self.end(self.sent(command.status, bytes_out=len(command.body)))
            return Answer(command.status, command.headers, [command.body])
        try:
            first = self.read()
        except UpstreamCut:  # nothing of the answer has been seen yet: its end can still be told
            fault = ClientGone(self.sent(GONE, whole=False)) if self._gone else Refusal("upstream_truncated")
            problem = self._resume(fault)
            assert isinstance(problem, Respond)
            return self._answer(problem)
        if self.read_all:
            self.end(self.sent(command.status, bytes_out=len(first)))
            return Answer(command.status, command.headers, [first])
        return Answer(command.status, command.headers, Stream(self, command.status, first))

    def read(self) -> bytes:
        """Return the next bytes of the upstream's body. Raises UpstreamCut."""
        assert self._exchange is not None
        return self._exchange.read()

    @property
    def read_all(self) -> bool:
        return self._exchange is not None and self._exchange.ended

    def sent(self, status: int, *, bytes_out: int = 0, whole: bool = True, cut: bool = False) -> Sent:
        """Describe how the answer ended, at this moment."""
        exchange = self._exchange
        return Sent(
            status=GONE if self._gone else status,
            bytes_in=exchange.bytes_in if exchange else 0,
            bytes_out=bytes_out,
            whole=whole and not self._gone,
            accepted=exchange is not None and exchange.accepted,
            request_whole=exchange is not None and exchange.request_whole,
            cut=cut and not self._gone,
            upstream_ms=exchange.upstream_ms if exchange else 0,
            latency_ms=round((self._engine.clock() - self._began) * 1000),
        )

    def end(self, sent: Sent) -> None:
        """Tell the flow how its answer ended, and write the event down. Raises JournalFull."""
        try:
            goes_on = self._flow.send(sent)
            raise RuntimeError(f"the flow goes on after its answer: {goes_on!r}")
        except StopIteration as end:
            event = end.value
        except Exception:
            log.exception("call %s broke at its end", self.call.id)
            event = self._fallback_event(sent)
        self._record(event)

    def _record(self, event: UsageEvent | None) -> None:
        self.over = True
        try:
            self._engine.records.write(event, self._claims, at_ms=self.call.at_ms)
        finally:
            if self._exchange is not None:
                self._exchange.close()

    # --- our own bugs ---

    def _broken(self) -> Answer:
        """Answer 500 for a flow that died, with the one event that it owed."""
        if not self.over:
            self._record(self._fallback_event(self.sent(500)))
        return self._plain_answer("internal_error")

    def _fallback_event(self, sent: Sent) -> UsageEvent | None:
        case = Case(self.call, self._engine.settings, op=self._desk.op, grant=self._desk.grant_given)
        case.refusal = Refusal("internal_error")
        return usage_event(case, sent)

    def _plain_answer(self, code: str) -> Answer:
        respond = policies.problem(Case(self.call, self._engine.settings), Refusal(code))
        return Answer(respond.status, respond.headers, [respond.body or b""])


PERFORM: dict[type, Callable[..., object]] = {
    FindGrant: Conversation._find_grant,
    Spend: Conversation._spend,
    Forward: Conversation._forward,
}


class Stream:
    """The body of an answer as the upstream sends it. Raises UpstreamCut, JournalFull: the client must be cut then."""

    def __init__(self, conversation: Conversation, status: int, first: bytes) -> None:
        self._conversation, self._status = conversation, status
        self._ahead, self._bytes_out = first, 0

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> bytes:
        if self._conversation.over:
            raise StopIteration
        piece, self._ahead = self._ahead or self._read(), b""
        self._bytes_out += len(piece)
        if self._conversation.read_all:
            self._end()
        if not piece:
            raise StopIteration
        return piece

    def stop(self) -> None:
        """Take no more of it, by our own choice. Twice is once."""
        if not self._conversation.over:
            self._end(whole=False)

    def close(self) -> None:
        """End the call if the client left before the end of the body. Twice is once."""
        if not self._conversation.over:
            self._conversation.end(self._conversation.sent(GONE, bytes_out=self._bytes_out, whole=False))

    def _read(self) -> bytes:
        try:
            return self._conversation.read()
        except UpstreamCut:
            self._end(whole=False, cut=True)
            raise

    def _end(self, *, whole: bool = True, cut: bool = False) -> None:
        sent = self._conversation.sent(self._status, bytes_out=self._bytes_out, whole=whole, cut=cut)
        self._conversation.end(sent)
