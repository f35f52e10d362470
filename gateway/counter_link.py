"""One connection to the counters' server: every exchange ends by its deadline, or ends the connection."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis import ConnectionError, ConnectionPool, RedisError, ResponseError
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, NoScriptError
from redis.retry import Retry

SCRIPT = (Path(__file__).parent / "leases.lua").read_text()
SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
_OF_ONE_RUN = ("WRONGTYPE", "user_script", "Error running script")  # how such an answer begins
Command = Sequence[str | int | bytes]
Answer = Any  # what Redis says: bytes, int, None, or a list of them


class LinkDown(Exception):
    """The server cannot be asked: unreachable, frozen, read-only, loading, out of memory, or it refuses us.

    `cut`: an open connection was reset, so that a new one may well work.
    """

    def __init__(self, reason: object, *, cut: bool = False) -> None:
        super().__init__(str(reason))
        self.cut = cut


class Link:
    """Connects at `open`; after a LinkDown it is closed and may be opened again. One thread's."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._pool = ConnectionPool.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        self._connection: Any = None
        self.run_id = b""  # which life of the server this is

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def open(self, *, probe: Command) -> None:
        """Connect, and see that the server takes a write (`probe`). Raises LinkDown."""
        deadline_s = time.monotonic() + self._timeout_s
        try:
            self._connection = self._pool.make_connection()
            self._connection.connect()
        except (RedisError, OSError) as error:
            self.close()
            raise LinkDown(error) from error
        info, _ = self.demand([("INFO", "server"), probe], deadline_s=deadline_s)
        self.run_id = next(line[7:] for line in info.splitlines() if line.startswith(b"run_id:"))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def exchange(self, commands: Sequence[Command], *, deadline_s: float | None = None) -> list[Answer]:
        """Send commands in one write, return the answers; a ResponseError stands for a refused one. Raises LinkDown."""
        deadline_s = deadline_s or time.monotonic() + self._timeout_s
        try:
            self._connection.send_packed_command(self._connection.pack_commands(commands))
            return [self._read(deadline_s) for _ in commands]
        except (RedisError, OSError) as error:
            self.close()
            raise LinkDown(
                error, cut=isinstance(error, ConnectionError) and not isinstance(error, BusyLoadingError)
            ) from error

    def demand(self, commands: Sequence[Command], *, deadline_s: float | None = None) -> list[Answer]:
        """Exchange commands that a server in order does not refuse. Raises LinkDown."""
        answers = self.exchange(commands, deadline_s=deadline_s)
        for answer in answers:
            if isinstance(answer, ResponseError):
                self.close()
                raise LinkDown(answer)
        return answers

    def run(self, commands: Sequence[Command], scripts: Sequence[Command]) -> tuple[list[Answer], list[Answer]]:
        """Exchange plain commands and, after them in order, runs of the script: (number of keys, keys…, args…).

        A server that does not know the script gets it within the same call. One that refuses a run for its own
        state's sake is down; a run that fails by its counters' is its caller's, as a ResponseError.
        """
        deadline_s = time.monotonic() + self._timeout_s
        said = self.exchange([*commands, *(("EVALSHA", SHA, *script) for script in scripts)], deadline_s=deadline_s)
        plain, ran = said[: len(commands)], said[len(commands) :]
        unknown = [i for i, answer in enumerate(ran) if isinstance(answer, NoScriptError)]
        if unknown:
            load = ("SCRIPT", "LOAD", SCRIPT)
            _, *again = self.exchange([load, *(("EVALSHA", SHA, *scripts[i]) for i in unknown)], deadline_s=deadline_s)
            for i, answer in zip(unknown, again, strict=True):
                ran[i] = answer
        for answer in ran:
            if isinstance(answer, ResponseError) and not str(answer).startswith(_OF_ONE_RUN):
                self.close()
                raise LinkDown(answer)
        return plain, ran

    def _read(self, deadline_s: float) -> Answer:
        try:
            return self._connection.read_response(timeout=max(0.001, deadline_s - time.monotonic()))
        except RedisError as error:
            if isinstance(error, ResponseError) and self._connection.is_connected:
                return error
            raise
