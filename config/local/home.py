"""The data folder of one Tollgate: what stays between two starts, and what other commands read of a running one."""

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import IO, Any

from config.local.errors import StartError
from config.local.ports import free_port, is_free
from config.local.store import keep_secret

BASE_DIR = Path(__file__).resolve().parents[2]
SECRETS = ("SECRET_KEY", "TOLLGATE_ENCRYPTION_KEY", "TOLLGATE_KEY_PEPPERS")
LOG_LIMIT = 16 << 20


def home_path(given: str = "") -> Path:
    """Where the home is: `given`, $TOLLGATE_HOME, or `.tollgate` beside manage.py."""
    path = given or os.environ.get("TOLLGATE_HOME") or BASE_DIR / ".tollgate"
    return Path(path).expanduser().resolve()


class Home:
    """Every file under it is readable by its owner only; other users may at most pass through it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.run = path / "run"

    def make(self) -> None:
        """Create the folders. Raises StartError where that is not possible."""
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                # A root process runs PostgreSQL under a uid that must pass through here.
                self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.logs, self.run, self.path / "journal", self.path / "mail"):
                folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise StartError(
                f"The data folder {self.path} cannot be used ({error.strerror}): choose another with --home."
            ) from None

    def lock(self) -> IO[str]:
        """Take this home for as long as the file returned is open. Raises StartError if it is taken."""
        file = (self.run / "up.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StartError(
                f"another one already runs in {self.path} (process {file.read().strip() or '?'}): "
                "stop it first, or choose another --home."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        return file

    def keep_secrets(self) -> None:
        """Generate the secrets of a new home; an old one keeps its own. Raises StartError if they are damaged."""
        known = self.read("secrets.json")
        missing = [name for name in SECRETS if not known.get(name)]
        if missing:
            known |= {name: secrets.token_urlsafe(40) for name in missing}
            self.write("secrets.json", known)

    def ports(self, *names: str) -> dict[str, int]:
        """Loopback ports of servers that only we call: the ones of the last start where they are free."""
        known = self.read("ports.json")
        ports = {name: known[name] if name in known and is_free(known[name]) else free_port() for name in names}
        self.write("ports.json", known | ports)
        return ports

    def read(self, name: str) -> dict[str, Any]:
        """The JSON object in one of the home's files, {} if there is none. Raises StartError if it is damaged."""
        try:
            return dict(json.loads((self.path / name).read_text()))
        except FileNotFoundError:
            return {}
        except ValueError:
            raise StartError(
                f"{self.path / name} is damaged: restore it from a backup, or choose another --home."
            ) from None

    def write(self, name: str, content: dict[str, Any]) -> None:
        keep_secret(self.path / name, json.dumps(content, indent=1) + "\n")

    def forget(self, name: str) -> None:
        (self.path / name).unlink(missing_ok=True)

    def log(self, role: str) -> Path:
        """The log of a role, appended to; one that has grown large makes room first."""
        path = self.logs / f"{role}.log"
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        return path

    def announcement(self, role: str) -> Path:
        """Where a process of this role writes its id once it is ready (`announce.py`)."""
        return self.run / f"{role}.pid"
