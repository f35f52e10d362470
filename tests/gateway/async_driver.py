"""The same flow on an event loop: what the edge will do, in a hundred lines. No thread, nothing that blocks.

Commands are performed by coroutines, an answer goes to an asyncio transport, and a client that leaves cancels
whatever its call waits for. The event is noted before the piece that completes the answer is written.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from gateway.call import Call, ClientGone, FindGrant, Forward, Left, Refusal, Reply, Respond, Sent, Spend, UsageEvent
from gateway.flow import Command, Desk, handle
from gateway.records import Grant

GONE = 499


class Upstream(Protocol):
    """One exchange with an upstream. `start` and `read` raise Refusal; `read` says b"" at the end."""

    accepted: bool
    request_whole: bool

    async def start(self, forward: Forward) -> Reply: ...
    async def read(self) -> bytes: ...
    def cut(self) -> None: ...


class Asked(Protocol):
    """Whoever is asked for what the desk does not know. Raises Refusal."""

    async def find_grant(self, command: FindGrant) -> Grant: ...
    async def spend(self, command: Spend) -> Left: ...


class Transport(Protocol):
    """The client's connection. `drain` returns when it takes more."""

    def write(self, data: bytes) -> None: ...
    def abort(self) -> None: ...
    async def drain(self) -> None: ...


class Client:
    """Drives one call; `gone` may be called at any moment by the protocol that lost its connection."""

    def __init__(self, call: Call, desk: Desk, *, asked: Asked, upstream: Upstream, transport: Transport) -> None:
        self._flow = handle(call, desk)
        self._asked, self._upstream, self._transport = asked, upstream, transport
        self._waiting: asyncio.Task[object] | None = None
        self._has_left = False
        self._bytes_out = 0
        self._held: bytes | None = None
        self.log: list[object] = []  # the event, then "last" when the piece that completes the answer is written

    async def serve(self) -> None:
        answer: object = None
        while True:
            try:
                command = self._flow.throw(answer) if isinstance(answer, Exception) else self._flow.send(answer)
            except StopIteration as end:
                self._note(end.value)
                return
            answer = await self._performed(command)

    def gone(self) -> None:
        """The client has left: what the call waits for is cancelled."""
        self._has_left = True
        self._upstream.cut()
        if self._waiting:
            self._waiting.cancel()

    async def _performed(self, command: Command) -> object:
        self._waiting = asyncio.ensure_future(PERFORM[type(command)](self, command))
        try:
            if self._has_left:
                self._waiting.cancel()
            return await self._waiting
        except Refusal as refusal:
            return ClientGone(self._sent(GONE, whole=False)) if self._has_left else refusal
        except asyncio.CancelledError:
            return ClientGone(self._sent(GONE, whole=False))

    async def _find_grant(self, command: FindGrant) -> Grant:
        return await self._asked.find_grant(command)

    async def _spend(self, command: Spend) -> Left:
        return await self._asked.spend(command)

    async def _forward(self, command: Forward) -> Reply:
        return await self._upstream.start(command)

    async def _respond(self, command: Respond) -> Sent:
        """Write all but the last piece; that one is held until the event is noted."""
        if command.body is not None:
            await self._transport.drain()
            self._held = command.body
            return self._sent(command.status)
        piece = await self._upstream.read()  # a Refusal here comes before anything was written
        while piece:
            try:
                ahead = await self._upstream.read()
            except Refusal:
                self._transport.abort()
                return self._sent(command.status, whole=False, cut=True)
            if not ahead:
                break
            self._transport.write(piece)
            self._bytes_out += len(piece)
            piece = ahead
        await self._transport.drain()
        self._held = piece
        return self._sent(command.status)

    def _sent(self, status: int, *, whole: bool = True, cut: bool = False) -> Sent:
        upstream = self._upstream
        return Sent(
            status,
            bytes_out=self._bytes_out + len(self._held or b""),
            whole=whole,
            cut=cut,
            accepted=upstream.accepted,
            request_whole=upstream.request_whole,
        )

    def _note(self, event: UsageEvent | None) -> None:
        self.log.append(event)
        if self._held is not None and not self._has_left:
            self._transport.write(self._held)
            self.log.append("last")


PERFORM: dict[type, Callable[..., Awaitable[object]]] = {
    FindGrant: Client._find_grant,
    Spend: Client._spend,
    Forward: Client._forward,
    Respond: Client._respond,
}
