"""Whether a server answers, asked from outside as its clients would."""

import http.client

from config.local.ports import LOOPBACK

PATIENCE_S = 1.0


def status_of(port: int, path: str) -> int:
    """The status of a GET on a new connection; 0 if there was no whole answer."""
    link = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE_S)
    try:
        link.request("GET", path, headers={"Connection": "close"})
        reply = link.getresponse()
        reply.read()
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        link.close()
    return reply.status


def answers(port: int, path: str) -> bool:
    """Whether it answers anything but a fault of its own."""
    return 0 < status_of(port, path) < 500


def all_answer(port: int, path: str, *, status: int, tries: int) -> bool:
    """Whether `tries` new connections in a row get `status`: several processes may share the port."""
    return all(status_of(port, path) == status for _ in range(tries))
