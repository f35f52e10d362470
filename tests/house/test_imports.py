"""Imports go one way: the contracts of pyproject.toml hold."""

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.house.tree import APPS, FLOORS, ROOT


def test_the_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_speak_of_every_app() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(contract for contract in settings["contracts"] if contract["id"] == "layers")["layers"]
    assert settings["root_packages"] == list(APPS)
    assert [set(layer.split(" | ")) for layer in layers] == list(FLOORS)
