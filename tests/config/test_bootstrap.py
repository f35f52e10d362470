"""Building .venv: nothing to do when nothing has changed, one sentence when something is missing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.local.home import BASE_DIR

SCRIPT = Path("config") / "local" / "bootstrap.py"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the bootstrap reads, with nothing to install."""
    (tmp_path / SCRIPT.parent).mkdir(parents=True)
    shutil.copy(BASE_DIR / SCRIPT, tmp_path / SCRIPT)
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    return tmp_path


def run(checkout: Path, *, prelude: str = "pass", **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the bootstrap; `prelude` is Python that makes this machine another one."""
    lines = (
        "import runpy, sys",
        "sys.argv = ['bootstrap', 'requirements.txt']",
        prelude,
        f"runpy.run_path({str(checkout / SCRIPT)!r}, run_name='__main__')",
    )
    command = [sys.executable, "-c", "\n".join(lines)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | environment, timeout=120
    )


@pytest.mark.whole
def test_builds_once_and_again_only_after_a_change(checkout: Path) -> None:
    first = run(checkout)
    assert first.returncode == 0, first.stderr
    assert (checkout / ".venv" / "bin" / "python").exists()
    assert run(checkout).stdout == ""
    (checkout / "requirements.txt").write_text("# nothing more\n")
    assert run(checkout).stdout == "Installing requirements.txt\n"


@pytest.mark.whole
def test_a_virtual_environment_that_was_moved_is_made_anew(checkout: Path) -> None:
    run(checkout)
    stamp = checkout / ".venv" / "requirements.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"folder": "/somewhere/else/.venv"}))
    assert "Creating .venv" in run(checkout).stdout


@pytest.mark.whole
def test_an_interpreter_that_is_gone_is_replaced(checkout: Path) -> None:
    run(checkout)
    python = checkout / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/no/such/python")
    assert "Creating .venv" in run(checkout).stdout


@pytest.mark.parametrize(
    ("prelude", "sentence"),
    [
        (
            "sys.version_info = (3, 9, 2); import shutil; shutil.which = lambda name: None",
            "Python 3.11 or newer is needed",
        ),
        ("sys.modules['ensurepip'] = None", "python3-venv is missing"),
        ("sys.platform = 'win32'", "Windows is not supported"),
        ("import sysconfig; sysconfig.get_config_var = lambda name: 'x86_64-pc-linux-musl'", "uses musl"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(checkout: Path, prelude: str, sentence: str) -> None:
    done = run(checkout, prelude=prelude)
    assert done.returncode == 1
    assert done.stderr.startswith("Tollgate: ")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.whole
def test_an_installation_that_fails_is_not_remembered(checkout: Path) -> None:
    (checkout / "requirements.txt").write_text("no-such-package==1 --hash=sha256:" + "0" * 64 + "\n")
    done = run(checkout, PIP_NO_INDEX="1")
    assert done.returncode == 1
    assert "pip could not install requirements.txt" in done.stderr
    assert not (checkout / ".venv" / "requirements.json").exists()
