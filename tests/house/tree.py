"""The files of this project, as the house tests look at them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ("config", "demo", "portal", "billing", "marketplace", "usage", "notices", "accounts", "gateway", "kit")
# From the top of the house to its ground; apps of one floor do not know each other.
FLOORS = (
    {"config"},
    {"demo"},
    {"portal"},
    {"billing"},
    {"marketplace"},
    {"usage", "notices"},
    {"accounts", "gateway"},
    {"kit"},
)


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:  # an export without version control: everything that no tool has put there
        hidden = {".venv", ".tollgate", "__pycache__"}
        found = (path for path in ROOT.rglob("*") if not hidden & set(path.relative_to(ROOT).parts))
    else:
        found = (ROOT / line for line in listed.stdout.splitlines())
    return tuple(path for path in found if path.is_file())


def python_files(*, tests: bool = False) -> tuple[Path, ...]:
    """Our modules, without migrations; with `tests` also theirs."""
    tops = {*APPS, "manage.py", *(("tests", "bench") if tests else ())}
    return tuple(
        path
        for path in files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in tops and "migrations" not in path.parts
    )


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=shown(path))


def floor_of(app: str) -> int:
    return next(number for number, floor in enumerate(FLOORS) if app in floor)
