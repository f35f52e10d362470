"""What counting costs: events through the stream into PostgreSQL, against a plain COPY of the same rows.

    python -m bench.ingest [--events 200000]

Both run against the same fresh embedded servers, one after the other, into the same table with its keys, CHECK and
index; "counting" is everything from reading the stream to deleting from it, both rollups included.
"""

import argparse
import os
import random
import secrets
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import django
import msgspec

from config.local.postgres import Postgres
from config.local.store import start, stop
from config.local.valkey import Valkey
from gateway.journal_files import Line
from gateway.names import USAGE_STREAM
from kit.ids import uuid7

MESSAGE_BYTES = 256 << 10  # as the shipper sends
NOW = datetime.now(UTC)


@contextmanager
def servers() -> Iterator[None]:
    """Fresh PostgreSQL and Valkey in a temporary home, and Django set up against them."""
    home = Path(tempfile.mkdtemp(prefix="tollgate-bench-"))
    home.chmod(0o755)
    with ExitStack() as stack, (home / "stores.log").open("wb") as log:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        stores = Postgres(home), Valkey(home)
        for store in stores:
            stack.callback(stop, store, start(store, log=log))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "TOLLGATE_HOME": str(home),
            "DATABASE_URL": stores[0].url,
            "REDIS_URL": stores[1].url,
        } | {
            name: secrets.token_urlsafe(32)
            for name in ("SECRET_KEY", "TOLLGATE_KEY_PEPPERS", "TOLLGATE_ENCRYPTION_KEY")
        }
        django.setup()
        yield


def lines(count: int) -> Iterator[bytes]:
    """Journal lines of 2,000 customers (a few of them busy, as in life) over the last three hours."""
    chance = random.Random(1)
    customers = [[str(uuid7()) for _ in range(7)] for _ in range(2000)]
    encode = msgspec.json.Encoder().encode
    first = int(NOW.timestamp() * 1000) - 3 * 3_600_000
    for n in range(count):
        at = first + n * 3 * 3_600_000 // count
        organization, project, key, subscription, plan_version, period, api = customers[
            min(int(chance.paretovariate(1.16)) - 1, 1999)
        ]
        status = chance.choices((200, 404, 429, 502), (90, 5, 4, 1))[0]
        yield encode(
            Line(
                seq=n + 1,
                gateway="local",
                worker="1",
                boot="bench",
                event_id=str(uuid7(at)),
                ts=at,
                organization=organization,
                project=project,
                key=key,
                subscription=subscription,
                plan_version=plan_version,
                period_id=period,
                api=api,
                version="v1",
                operation=f"operation{chance.randrange(20)}",
                method="GET",
                status=status,
                problem={429: "rate_limited", 502: "upstream_timeout"}.get(status, ""),
                billable=status < 429,
                accepted=status != 429,
                test=False,
                bytes_out=chance.randrange(5000),
                latency_ms=chance.randrange(200),
                upstream_ms=chance.randrange(150),
            )
        )


def fill(stream, count: int) -> None:  # type: ignore[no-untyped-def]
    """Put the lines into the stream as the shipper does."""
    block, first, size = [], 1, 0
    for seq, line in enumerate(lines(count), 1):
        block.append(line)
        size += len(line) + 1
        if size > MESSAGE_BYTES or seq == count:
            fields = {"boot": "bench", "file": "bench-1.jsonl", "offset": 0, "first_seq": first, "last_seq": seq}
            stream.xadd(USAGE_STREAM, fields | {"lines": b"\n".join(block) + b"\n"})
            block, first, size = [], seq + 1, 0


def count_all(stream) -> tuple[int, float, float]:  # type: ignore[no-untyped-def]
    """Drain the stream; return events, seconds, and CPU seconds of this process."""
    from usage.consumer import consume

    stored, began, cpu = 0, time.perf_counter(), time.process_time()
    while batch := consume(stream, at=NOW):
        stored += batch.fresh
    return stored, time.perf_counter() - began, time.process_time() - cpu


def copy_again() -> float:
    """COPY the very rows that were counted into the emptied table, in one go; return seconds."""
    from django.db import connection

    with connection.cursor() as cursor:
        with cursor.copy("COPY (SELECT * FROM usage_event ORDER BY ts) TO STDOUT") as out:
            rows = [bytes(block) for block in out]
        cursor.execute("TRUNCATE usage_event")
        cursor.execute("CHECKPOINT")
        began = time.perf_counter()
        with cursor.copy("COPY usage_event FROM STDIN") as into:
            for start_at in range(0, len(rows), 1000):
                into.write(b"".join(rows[start_at : start_at + 1000]))
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    events = parser.parse_args().events
    with servers():
        from django.conf import settings
        from django.core.management import call_command

        from gateway.store import connect

        call_command("migrate", "usage", verbosity=0)
        stream = connect(settings.GATEWAY.stream_url, timeout_s=30)
        fill(stream, 10_000)
        count_all(stream)  # warm: imports, plans, caches
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE usage_event, usage_bill, usage_hour, usage_producer")
        fill(stream, events)
        stored, seconds, cpu = count_all(stream)
        assert stored == events, f"{stored} of {events} events were counted"
        plain = copy_again()
    print(f"Python {sys.version.split()[0]}, {sysconfig.get_config_var('CONFIG_ARGS')}, {os.cpu_count()} CPUs")
    each = cpu / events * 1e6
    print(
        f"counted  {events:,} events in {seconds:.2f} s: {events / seconds:,.0f}/s, {each:.1f} µs of CPU here for each"
    )
    print(f"COPY     the same rows in      {plain:.2f} s: {events / plain:,.0f}/s")
    print(f"counting / COPY = {seconds / plain:.2f}")


if __name__ == "__main__":
    main()
