"""A hard quota of 1,000 under 6,000 calls on 64 connections and several gateway processes."""

import pytest

from tests import load
from tests.product import Product

pytestmark = pytest.mark.faults


def test_admits_exactly_the_quota_and_says_so(product: Product) -> None:
    key = product.new_quota_key(1000)
    product.reset_echo()

    outcome = load.run(product.gateway, "/echo/anything", key, connections=64, calls=6000)

    assert outcome.broken == 0
    assert outcome.count(200) == 1000, outcome.statuses()
    assert set(outcome.statuses()) == {"200", "429 quota_exceeded"}
    assert product.echo_stats()["requests"] == 1000


def test_failed_calls_do_not_use_it_up(product: Product) -> None:
    """Every tenth call fails upstream: still 1,000 billable, and no early refusal.

    Early means: refused while the billable answers so far plus every call then in flight are below 1,000.
    A call is counted as in flight from the client's send to its last byte, so the bound errs on our side
    by the calls that had been answered but not yet read.
    """
    key = product.new_quota_key(1000)

    outcome = load.run(product.gateway, "/echo/status?code=500&every=10", key, connections=64, calls=6000)

    assert outcome.broken == 0
    assert outcome.count(200) == 1000, outcome.statuses()
    billable = sorted(a.done_at for a in outcome.answers if a.status == 200)
    spans = [(a.sent_at, a.done_at) for a in outcome.answers if a.status != 429]
    for refused in (a for a in outcome.answers if a.status == 429):
        done = sum(at <= refused.done_at for at in billable)
        flying = sum(sent <= refused.done_at and done_at >= refused.sent_at for sent, done_at in spans)
        assert done + flying >= 1000, f"refused with {done} billable and {flying} in flight"
