"""kill -9 under load: every complete answer has exactly one event, and nothing is counted twice."""

import threading
import time

import pytest

from tests import load
from tests.product import Product

pytestmark = pytest.mark.faults

CONNECTIONS = 8
KILLS = 3


@pytest.mark.parametrize("role", ["gateway", "worker", "valkey", "postgres", "shipper"])
def test_nothing_is_lost_or_counted_twice(product: Product, role: str) -> None:
    key, key_id = product.new_open_key()
    product.reset_echo()
    over = threading.Event()
    outcomes: list[load.Outcome] = []
    runner = threading.Thread(
        target=lambda: outcomes.append(
            load.run(product.gateway, "/echo/kill", key, connections=CONNECTIONS, stop=over.is_set, pause_s=0.01)
        )
    )
    runner.start()
    try:
        for _ in range(KILLS):
            time.sleep(1)  # load before the kill: the point of the test
            product.kill(role)
            product.wait_back(role)
    finally:
        time.sleep(1)
        over.set()
        runner.join()

    answered = outcomes[0].ids(200)
    assert len(answered) > 100, outcomes[0].statuses()
    assert len(set(answered)) == len(answered)
    product.wait_until(
        lambda: set(answered) <= product.event_ids(key_id), "every answered call has its event", within_s=60
    )

    recorded = product.event_ids(key_id, accepted=True)
    assert product.event_count(key_id) == len(product.event_ids(key_id)), "an id stands twice"
    assert product.rollup_calls(key_id) == product.event_count(key_id)
    assert product.echo_stats()["requests"] - len(recorded) <= CONNECTIONS * KILLS
