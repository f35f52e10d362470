"""A live key's plaintext is shown once and is nowhere afterwards."""

import pytest

from tests.product import Product

pytestmark = pytest.mark.faults


def test_plaintext_is_nowhere(product: Product) -> None:
    key, _ = product.new_open_key()
    assert product.call("/echo/secret", key).status == 200
    product.call("/echo/secret?key=" + key, key)  # hostile: the key in the query as well
    product.call("/echo/secret", key[:-1] + ("a" if key[-1] != "a" else "b"))

    product.wait_until(lambda: product.events_settled(), "the usage of these calls is committed")
    found = product.search_everywhere(key)

    assert found == [], f"the key stands in {found}"
