"""A revoked key is dead everywhere within a second of the answer that says so."""

import threading
import time

import pytest

from tests import load
from tests.product import Product

pytestmark = pytest.mark.faults


def last_success_after_revoke(product: Product) -> float:
    """Revoke a key under load; return by how many seconds the last 2xx outlived the answer (negative: none did)."""
    key, key_id = product.new_open_key()
    over = threading.Event()
    outcomes: list[load.Outcome] = []
    runner = threading.Thread(
        target=lambda: outcomes.append(
            load.run(product.gateway, "/echo/revoke", key, connections=8, stop=over.is_set, pause_s=0.02)
        )
    )
    runner.start()
    time.sleep(0.7)  # every process has served the key by now
    answer = product.api("POST", f"/api/v1/keys/{key_id}/revoke")
    revoked_at = time.monotonic()
    time.sleep(1.6)
    over.set()
    runner.join()
    assert answer.status == 200, answer.body
    assert outcomes[0].count(200) > 20, outcomes[0].statuses()
    assert outcomes[0].count(401) > 20, outcomes[0].statuses()
    return max(a.sent_at for a in outcomes[0].answers if a.status == 200) - revoked_at


def test_ten_times(product: Product) -> None:
    late = [last_success_after_revoke(product) for _ in range(10)]
    assert max(late) <= 1.0, late


def test_after_valkey_came_back_empty(product: Product) -> None:
    product.empty_valkey()
    assert last_success_after_revoke(product) <= 1.0


def test_with_the_push_dropped(product_without_push: Product) -> None:
    late = [last_success_after_revoke(product_without_push) for _ in range(3)]
    assert max(late) <= 1.0, late
