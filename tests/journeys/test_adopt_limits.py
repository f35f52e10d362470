"""An operator publishes a version with other limits and lets its subscribers adopt it; the next calls obey."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.product import Product

pytestmark = pytest.mark.browser


def test_calls_obey_the_new_limits_within_a_second(product: Product, page: Page) -> None:
    key = product.new_quota_key(1000)
    assert product.call("/echo/adopt", key).headers["x-ratelimit-limit"] == "1000"

    _sign_in_as_operator(product, page)
    _publish_quota(product, page, 3)
    _wait_for_limit(product, key, "3")
    # what was used before counts on, and so do the calls above: no more than three in all
    assert [product.call("/echo/adopt", key).status for _ in range(4)][-1] == 429
    assert product.call("/echo/adopt", key).body["code"] == "quota_exceeded"

    _publish_quota(product, page, 1000)
    _wait_for_limit(product, key, "1000")
    assert product.call("/echo/adopt", key).status == 200


def _publish_quota(product: Product, page: Page, amount: int) -> None:
    page.goto(f"{product.portal}/admin/marketplace/plan/?q=quota")
    page.get_by_role("link", name="Quota", exact=True).first.click()
    page.get_by_role("button", name="New version").click()
    page.locator("input[name=limits-0-amount]").fill(str(amount))
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator("body")).to_contain_text("was changed successfully")
    page.get_by_role("button", name="Publish and let subscribers adopt it").click()
    expect(page.locator("body")).to_contain_text("adopt")


def _wait_for_limit(product: Product, key: str, limit: str) -> None:
    adopted_at = time.monotonic()
    while product.call("/echo/adopt", key).headers["x-ratelimit-limit"] != limit:
        assert time.monotonic() - adopted_at < 1, "the old limit still holds"


def _sign_in_as_operator(product: Product, page: Page) -> None:
    admin = product.data["demo"]["admin"]
    page.goto(f"{product.portal}/login/?next=/admin/")
    page.get_by_label("E-mail", exact=True).first.fill(admin["email"])
    page.get_by_label("Password", exact=True).first.fill(admin["password"])
    page.locator("main form button[type=submit]").first.click()
    expect(page).to_have_url(f"{product.portal}/admin/")
