"""The order of the house: names, sizes, and words that belong to one machine or one workplace."""

import ast
import importlib.metadata
import re
from pathlib import Path

import pytest

from tests.house.tree import APPS, ROOT, files, parsed, python_files, shown

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base2", "manager", "service", "data", "info"}
LONGEST_MODULE, LONGEST_TEST = 400, 400
LONGEST_FUNCTION = 40  # 30 is the rule (CONTRIBUTING); this is where it stops being a matter of taste

# Paths of somebody's machine, and what tools leave behind. Written in pieces, so that this file is not its own finding.
FORBIDDEN = re.compile(
    r"(?<![\w.])/(" + "|".join(("ro" + "ot", "ho" + "me", "wo" + "rk", "Us" + "ers", "tm" + "p")) + r")/"
)
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
CODE = {".py", ".html", ".css", ".js", ".lua", ".sql", ".toml"}
TEXT = {".py", ".md", ".html", ".css", ".js", ".toml", ".yaml", ".yml", ".lua", ".txt", ".example", ".json", ""}


def texts() -> list[Path]:
    skipped = (ROOT / "static" / "vendor", ROOT / "tests")
    return [
        path
        for path in files()
        if path.suffix in TEXT
        and not any(path.is_relative_to(folder) for folder in skipped)
        and b"\0" not in path.read_bytes()
    ]


def findings(pattern: re.Pattern[str], kinds: set[str]) -> list[str]:
    return [
        f"{shown(path)}:{number}: {line.strip()[:100]}"
        for path in texts()
        if path.suffix in kinds
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_path_of_one_machine() -> None:
    assert not findings(FORBIDDEN, TEXT)


def test_nothing_is_left_to_do_without_an_issue() -> None:
    assert not findings(UNFINISHED, CODE)


def test_no_module_has_an_empty_name() -> None:
    names = [path for path in python_files(tests=True) if {path.stem, *path.relative_to(ROOT).parts[:-1]} & EMPTY_NAMES]
    assert not [shown(path) for path in names]


def test_no_module_is_too_long() -> None:
    lengths = {shown(path): len(path.read_text().splitlines()) for path in python_files(tests=True)}
    assert not {name: length for name, length in lengths.items() if length > LONGEST_MODULE}


def test_no_function_is_too_long() -> None:
    long = [
        f"{shown(path)}:{node.lineno} {node.name} ({node.end_lineno - node.lineno + 1})"
        for path in python_files()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long


def test_every_module_says_what_it_is() -> None:
    modules = [path for path in python_files() if path.read_text().strip() and path.name != "apps.py"]
    silent = [path for path in modules if not ast.get_docstring(parsed(path))]
    assert not [shown(path) for path in silent]


def test_no_import_of_ours_hides_in_a_function() -> None:
    """It would dodge a cycle. (A heavy package of others may wait until it is needed.)"""
    hidden = [
        f"{shown(path)}:{node.lineno}"
        for path in python_files()
        for function in ast.walk(parsed(path))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if imported(node) & set(APPS)
    ]
    assert not hidden


def imported(node: ast.AST) -> set[str]:
    """The top packages that a statement imports."""
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").split(".")[0]}
    return {name.name.split(".")[0] for name in node.names} if isinstance(node, ast.Import) else set()


def test_no_package_shadows_urllib3() -> None:
    """urllib3-future and what brings it replace the package of that name inside the environment."""
    owners = importlib.metadata.packages_distributions()["urllib3"]
    assert set(owners) == {"urllib3"}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_with_hashes_and_name_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    pinned = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,]+\])?==\S+.*\\$", text, re.MULTILINE | re.IGNORECASE)
    assert len(pinned) > 50
    assert text.count("--hash=sha256:") >= len(pinned)
    assert not re.search(r"https?://|--index-url|--find-links", text)


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
