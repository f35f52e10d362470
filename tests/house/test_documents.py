"""What the documents promise is there: links, commands, folders."""

import re
from pathlib import Path

import pytest

from config.local.roles import STAGES
from tests.house.tree import APPS, ROOT, files, shown

DOCUMENTS = [
    path for path in files() if path.suffix == ".md" and "content" not in path.parts and "vendor" not in path.parts
]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_links_lead_somewhere(document: Path) -> None:
    broken = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert not broken


def test_make_has_what_the_documents_say() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    said = {
        word
        for path in DOCUMENTS
        for word in re.findall(r"^make (\w+)|`make (\w+)", path.read_text(), re.MULTILINE)
        for word in word
        if word
    }
    assert said <= targets
    assert {"run", "test", "quick", "check", "bench"} <= targets


def test_the_architecture_names_every_app_and_every_role() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert all(f"\n{app}/" in text for app in APPS)
    assert all(f"`{role}`" in text for stage in STAGES for role in stage)
