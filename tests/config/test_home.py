"""The data folder: private, locked, remembered, and clear about damage."""

import os
import re
from pathlib import Path

import pytest

from config.local.errors import StartError
from config.local.home import SECRETS, Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_only_its_owner_reads_it(home: Home) -> None:
    home.keep_secrets()
    assert mode(home.path) == (0o711 if os.geteuid() == 0 else 0o700)
    assert {mode(home.logs), mode(home.run), mode(home.path / "journal"), mode(home.path / "mail")} == {0o700}
    assert mode(home.path / "secrets.json") == 0o600


def test_secrets_are_made_once(home: Home) -> None:
    home.keep_secrets()
    made = home.read("secrets.json")
    home.keep_secrets()
    assert home.read("secrets.json") == made
    assert set(made) == set(SECRETS)
    assert len(set(made.values())) == 3
    assert all(re.fullmatch(r"[\w-]{40,}", value) for value in made.values())


def test_a_damaged_file_is_said_with_the_way_out(home: Home) -> None:
    (home.path / "secrets.json").write_text("{")
    with pytest.raises(StartError, match=r"secrets\.json is damaged: restore it"):
        home.keep_secrets()


def test_one_at_a_time(home: Home) -> None:
    with home.lock(), pytest.raises(StartError, match=f"already runs in .*process {os.getpid()}"):
        home.lock()
    home.lock().close()


def test_a_home_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot be used"):
        Home(tmp_path / "file" / "home").make()


def test_ports_stay_while_they_are_free(home: Home) -> None:
    first = home.ports("demo", "echo")
    assert home.ports("demo") == {"demo": first["demo"]}
    assert len(set(first.values())) == 2


def test_a_large_log_makes_room(home: Home) -> None:
    path = home.log("portal")
    with path.open("wb") as file:
        file.truncate(17 << 20)
    assert home.log("portal") == path
    assert not path.exists()
    assert path.with_suffix(".log.1").exists()
