"""A new visitor's way to their first own call: two fields, three clicks."""

import re
import subprocess
import time
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.product import Product

pytestmark = pytest.mark.browser


class Visitor:
    """Counts what a person has to do: clicks and typed fields."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0
        self.fields = 0

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=re.compile(name)).first.click()
        self.clicks += 1

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).first.fill(text)
        self.fields += 1


def test_two_fields_and_three_clicks(product: Product, page: Page) -> None:
    visitor = Visitor(page)
    problems = _listen(page)
    page.goto(f"{product.portal}/apis/world/docs/getCountry/")

    visitor.click("Run")
    expect(page.locator("#reply")).to_contain_text("200")
    expect(page.locator("#reply")).to_contain_text("sandbox")

    visitor.fill("E-mail", f"{uuid4().hex[:12]}@example.com")
    visitor.fill("Password", "correct horse battery")
    visitor.click("Create account")
    expect(page).to_have_url(re.compile("/apis/world/docs/getCountry/"))

    visitor.click("^Run")
    expect(page.locator("#reply")).to_contain_text("200")
    assert (visitor.fields, visitor.clicks) == (2, 3)

    answer = _paste(page.locator("#sample-curl").inner_text())
    assert answer.startswith("200"), answer
    called_at = time.monotonic()

    page.goto(f"{product.portal}/app/usage/")
    while page.get_by_text("getCountry").count() == 0:
        assert time.monotonic() - called_at < 5, page.locator("main").inner_text()
        page.wait_for_timeout(200)
        page.reload()
    assert problems == []


def _paste(curl: str) -> str:
    """Run the page's text in a shell as it stands; return the status it got."""
    assert curl.startswith("curl "), curl
    done = subprocess.run(
        ["/bin/sh", "-c", f"{curl} -sS -o /dev/null -w '%{{http_code}}'"], capture_output=True, text=True, timeout=20
    )
    return done.stdout + done.stderr


def _listen(page: Page) -> list[str]:
    """Note whatever the browser complains of: errors of scripts, refused resources, other hosts."""
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
    return problems
