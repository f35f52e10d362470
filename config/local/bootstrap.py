"""Build the virtual environment that `make` runs everything in: `python3 config/local/bootstrap.py requirements.txt`.

Run by whatever Python the machine has, so it imports only the standard library and is written for old ones
too (3.7). Says in one sentence what is missing and exits with 1. Does nothing when the requirements are installed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NoReturn

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "requirements.json"


def main(names: list[str]) -> None:
    if sys.platform == "win32":
        stop("Windows is not supported: run Tollgate in WSL 2.")
    if sys.version_info < OLDEST:
        use_a_newer_python()
    if "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or ""):
        stop(
            "This system uses musl, for which the embedded servers have no wheels: use one with glibc, such as Debian."
        )
    wanted = fingerprint(names)
    if installed(names) == wanted:
        return
    make_venv()
    install(names)
    remember(wanted)


def use_a_newer_python() -> None:
    for name in NEWER:
        found = shutil.which(name)
        if found:
            os.execv(found, [found, *sys.argv])  # noqa: S606
    stop(f"Python 3.11 or newer is needed, and this is {sys.version.split()[0]}: install one, or name it with PYTHON=.")


def make_venv() -> None:
    """Create .venv, anew if it was made by a Python that is gone, or in another folder."""
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        stop("python3-venv is missing: `apt-get install python3-venv`, or your system's package for it, then again.")
    if VENV.exists() and (recorded().get("folder") not in (None, str(VENV)) or not works(PYTHON)):
        shutil.rmtree(VENV)
    if not PYTHON.exists():
        say(f"Creating .venv with Python {sys.version.split()[0]}")
        venv.create(VENV, with_pip=True, symlinks=True)


def works(python: Path) -> bool:
    """Whether this interpreter starts, finds pip, and is the one of this folder and of a Python that is new enough."""
    ask = f"import sys, pip; assert sys.version_info >= {OLDEST}; print(sys.prefix)"
    try:
        answer = subprocess.run(
            [str(python), "-c", ask], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
    except OSError:
        return False
    return answer.returncode == 0 and Path(answer.stdout.decode().strip()).resolve() == VENV.resolve()


def install(names: list[str]) -> None:
    say(f"Installing {' and '.join(names)}")
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "--only-binary", ":all:"]
    for name in names:
        command += ["-r", str(ROOT / name)]
    if subprocess.run(command, check=False).returncode:
        stop(f"pip could not install {' and '.join(names)}: its words are above; look at the network, then again.")


def fingerprint(names: list[str]) -> dict[str, str]:
    return {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in names}


def installed(names: list[str]) -> dict[str, str | None]:
    """What the stamp says of these files; {} unless it was written in this folder and the interpreter is there."""
    known = recorded()
    if known.get("folder") != str(VENV) or not PYTHON.exists():
        return {}
    return {name: known.get(name) for name in names}


def recorded() -> dict[str, str]:
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def remember(wanted: dict[str, str]) -> None:
    """Write the stamp: last, so that an installation that was cut off is done again."""
    STAMP.write_text(json.dumps(dict(wanted, folder=str(VENV))))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def stop(sentence: str) -> NoReturn:
    sys.stderr.write(f"Tollgate: {sentence}\n")
    sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
