"""A bounded load generator: keep-alive connections in threads, every complete answer noted.

An answer is *complete* when its whole body arrived; what broke off is counted apart. Nothing is retried.
"""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """One complete answer, with the client's own monotonic instants around it."""

    status: int
    request_id: str
    code: str  # problem code, "" if none
    sent_at: float
    done_at: float
    remaining: int | None = None


@dataclass
class Outcome:
    answers: list[Answer] = field(default_factory=list)
    broken: int = 0

    def count(self, status: int) -> int:
        return sum(answer.status == status for answer in self.answers)

    def ids(self, status: int) -> list[str]:
        return [answer.request_id for answer in self.answers if answer.status == status]

    def statuses(self) -> Counter[str]:
        return Counter(f"{a.status} {a.code}".strip() for a in self.answers)


def run(
    base: str,
    path: str,
    key: str,
    *,
    connections: int,
    calls: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    pause_s: float = 0.0,
) -> Outcome:
    """Make `calls` calls (or go on until `stop()`), spread over `connections`; wait for all of them."""
    outcome, lock = Outcome(), threading.Lock()
    left = [calls if calls is not None else 1 << 60]

    def take() -> bool:
        with lock:
            if left[0] <= 0 or stop():
                return False
            left[0] -= 1
            return True

    def work() -> None:
        place = urlsplit(base)
        link: http.client.HTTPConnection | None = None
        while take():
            link = link or http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
            try:
                answer = _one(link, path, key)
            except (OSError, http.client.HTTPException):
                link.close()
                link = None
                with lock:
                    outcome.broken += 1
                time.sleep(0.02)
                continue
            with lock:
                outcome.answers.append(answer)
            if pause_s:
                time.sleep(pause_s)
        if link:
            link.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def _one(link: http.client.HTTPConnection, path: str, key: str) -> Answer:
    sent_at = time.monotonic()
    link.request("GET", path, headers={"X-API-Key": key})
    reply = link.getresponse()
    body = reply.read()
    code = ""
    if reply.headers.get_content_type() == "application/problem+json":
        code = body.partition(b'"code"')[2].split(b'"')[1].decode()
    remaining = reply.headers.get("X-RateLimit-Remaining")
    return Answer(
        status=reply.status,
        request_id=reply.headers.get("X-Request-Id", ""),
        code=code,
        sent_at=sent_at,
        done_at=time.monotonic(),
        remaining=int(remaining) if remaining and remaining.isdigit() else None,
    )
