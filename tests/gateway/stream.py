"""The usage stream as its consumer sees it: what was shipped, and saying what is committed."""

from redis import Redis

from gateway import names
from gateway.journal_files import Beat, Bye, Line, read_line


def messages(redis: Redis) -> list[dict[bytes, bytes]]:
    return [fields for _, fields in redis.xrange(names.USAGE_STREAM)]


def lines(redis: Redis) -> list[Line | Beat | Bye]:
    return [read_line(text) for fields in messages(redis) for text in fields[b"lines"].splitlines()]


def events(redis: Redis) -> list[Line]:
    return [line for line in lines(redis) if isinstance(line, Line)]


def ids(redis: Redis) -> list[str]:
    return [line.event_id for line in events(redis)]


def commit(redis: Redis) -> None:
    """Do as the aggregator does once PostgreSQL holds a batch: say what is committed, then forget it."""
    taken = redis.xrange(names.USAGE_STREAM)
    for entry, fields in taken:
        redis.hset(names.COMMITTED, fields[b"boot"], fields[b"last_seq"])
        redis.xdel(names.USAGE_STREAM, entry)
