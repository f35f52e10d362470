"""A start that finds processes of one that was killed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local import leftovers
from config.local.home import Home
from config.local.processes import alive, birth_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(leftovers, "BY_THEMSELVES_S", 0.1)
    home = Home(tmp_path / "home")
    home.make()
    return home


@pytest.fixture
def stray() -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    yield child
    child.kill()
    child.wait()


def test_ends_what_was_noted(home: Home, stray: "subprocess.Popen[bytes]") -> None:
    leftovers.note(home, [stray.pid])
    assert leftovers.end(home) == [stray.pid]
    assert not alive(stray.pid)
    assert leftovers.end(home) == []


def test_leaves_a_later_process_with_the_same_id_alone(home: Home, stray: "subprocess.Popen[bytes]") -> None:
    home.write(leftovers.NOTES, {str(stray.pid): birth_of(stray.pid) + "0"})
    assert leftovers.end(home) == []
    assert alive(stray.pid)


def test_forgets_who_said_to_be_ready(home: Home) -> None:
    home.announcement("gateway-0").write_text("1")
    leftovers.end(home)
    assert not home.announcement("gateway-0").exists()
