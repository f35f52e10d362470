"""Every problem has its page, and every page tells the truth about its problem."""

import json
import re
from pathlib import Path

import pytest

from kit.problems import PROBLEMS, render

PAGES = Path(__file__).parents[2] / "portal" / "content" / "errors"
SECTIONS = ["What it means", "Possible causes", "What to do", "Example"]


def page(code: str) -> str:
    return (PAGES / f"{code}.md").read_text()


def test_codes_and_pages_are_one_to_one():
    assert {path.stem for path in PAGES.glob("*.md")} == set(PROBLEMS)


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_a_page_has_the_codes_title_and_all_sections(code):
    text = page(code)
    assert text.startswith(f"# {PROBLEMS[code].title}\n")
    assert re.findall(r"^## (.+)$", text, re.M) == SECTIONS
    for body in re.split(r"^#+ .+$", text, flags=re.M)[2:]:
        assert body.strip()


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_the_example_is_what_the_code_really_answers(code):
    example = json.loads(re.search(r"```json\n(.+?)```", page(code), re.S)[1])
    told = render(code, portal_url="http://127.0.0.1:8000", request_id=example["request_id"])
    free = {"retry_after", "fix_url", "errors"}
    assert {name: value for name, value in example.items() if name not in free} == {
        name: value for name, value in told.items() if name not in free
    }
    assert (example["retry_after"] is not None) == (PROBLEMS[code].status in (429, 503))


@pytest.mark.parametrize("code", sorted(PROBLEMS))
def test_a_problem_is_one_sentence_and_a_proper_status(code):
    problem = PROBLEMS[code]
    assert problem.code == code and 400 <= problem.status <= 599
    assert problem.detail.endswith(".") and problem.title and not problem.title.endswith(".")


def test_what_the_caller_knows_stands_in_the_body():
    body = render("quota_exceeded", portal_url="https://p.example", request_id="r", detail="d", fix_path="/x/", extra=1)
    assert (body["detail"], body["fix_url"], body["extra"]) == ("d", "https://p.example/x/", 1)
    with pytest.raises(KeyError):
        render("unheard_of", portal_url="", request_id="")
