"""What the operating system says about a process: from /proc where there is one, else from ps(1)."""

import os
import subprocess
from pathlib import Path

PROC = Path("/proc")


def command_of(pid: int) -> str:
    """The command line of a live process; "" when there is none, or only its remains."""
    if (PROC / "self").exists():
        try:
            return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    return _ps(pid, "args=")


def birth_of(pid: int) -> str:
    """What tells this process from a later one with the same id; "" when it is gone."""
    if (PROC / "self").exists():
        try:
            after_name = (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if after_name[0] in "ZX" else after_name[19]  # field 22: start time in clock ticks
    return _ps(pid, "lstart=")


def children_of(pid: int) -> list[int]:
    """The processes that `pid` has started and that still live."""
    listing = PROC / str(pid) / "task"
    if listing.exists():
        found = [word for task in listing.glob("*/children") for word in _text(task).split()]
        return sorted(int(word) for word in found)
    done = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return sorted(int(word) for word in done.stdout.split())


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    return bool(birth_of(pid))


def signal_group(pid: int, number: int) -> None:
    """Send a signal to the whole process group that `pid` leads; nothing if it is gone."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _ps(pid: int, field: str) -> str:
    done = subprocess.run(["ps", "-ww", "-o", field, "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()
