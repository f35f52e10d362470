"""The README's table "If it stops" says what a person then really sees."""

import argparse
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from config.local.errors import StartError
from config.local.external import check_own_secrets
from config.local.home import BASE_DIR, Home
from config.local.place import Place
from config.local.plan import add_arguments, plan
from config.local.ports import LOOPBACK
from config.local.postgres import Postgres

FROM_ELSEWHERE = {"make: command not found"}  # the shell says so
BOOTSTRAP = (BASE_DIR / "config" / "local" / "bootstrap.py").read_text()


def port_taken(folder: Path) -> None:
    home = Home(folder)
    home.make()
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with socket.create_server((LOOPBACK, 0)) as server:
        port = str(server.getsockname()[1])
        plan(parser.parse_args(["--portal-port", port, "--gateway-port", "0"]), home)


def other_version(folder: Path) -> None:
    store = Postgres(folder)
    store.place = Place(folder, state=folder / "state")  # where a root process would keep it
    store.data.mkdir(parents=True)
    (store.data / "PG_VERSION").write_text("16\n")
    try:
        store.prepare()
    finally:
        store.place.clear()


def own_database(_folder: Path) -> None:
    check_own_secrets({"DATABASE_URL": "postgresql://localhost/x"})


def said(act: Callable[[Path], None], folder: Path) -> str:
    with pytest.raises(StartError) as refused:
        act(folder)
    return str(refused.value)


def promised() -> list[str]:
    """The messages in the table's first column."""
    table = re.search(r"## If it stops\n(.*?)\n## ", (BASE_DIR / "README.md").read_text(), re.DOTALL)
    assert table
    rows = [line.split("|")[1] for line in table[1].splitlines() if line.startswith("|")]
    return [phrase for row in rows for phrase in re.findall(r"`([^`]+)`", row) if phrase not in FROM_ELSEWHERE]


@pytest.mark.parametrize("phrase", promised())
def test_what_it_promises_is_said(phrase: str, tmp_path: Path) -> None:
    pattern = re.sub(r"\d{4,}", r"\\d+", ".*".join(map(re.escape, phrase.split("…"))))
    spoken = [said(act, tmp_path / act.__name__) for act in (port_taken, other_version, own_database)]
    assert any(re.search(pattern, text) for text in [*spoken, BOOTSTRAP]), spoken


def test_it_promises_something() -> None:
    assert len(promised()) >= 4
