"""Connections to Redis, bounded in time: whoever asks decides what an absent answer means."""

from functools import lru_cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


@lru_cache(maxsize=16)
def connect(url: str, *, timeout_s: float) -> Redis:
    """Return this process's client of one server. Thread-safe; connects at the first command.

    The library's own retries are off: three of them would turn a bound of 250 ms into seconds.
    A command that raises redis.RedisError may still have been executed, or be executed later.
    """
    return Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        max_connections=64,
    )
