"""A process that does nothing but write events, and says each id once its append has returned.

`python -m tests.gateway.writer <folder> <boot>`; it ends when it is killed.
"""

import sys
import time
from pathlib import Path

from gateway.journal import Journal, Keeper
from tests.gateway.journal_events import event


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


def main(folder: str, boot: str) -> None:
    journal = Journal(Path(folder), gateway="local", worker="w0", boot=boot, clock_ms=clock_ms, segment_bytes=20_000)
    Keeper(journal, fdatasync_s=0.02, heartbeat_s=0.05)
    while True:
        batch = [event(clock_ms()) for _ in range(3)]
        journal.append(batch)
        sys.stdout.write("".join(f"{said.event_id}\n" for said in batch))
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
