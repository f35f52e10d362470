"""The worker's clock: it follows the server's, and never goes back."""

import pytest

from gateway.clock import KEEP_S, Clock


class Time:
    """Monotonic seconds that the test moves."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def clock(time: Time) -> Clock:
    return Clock(monotonic=time, wall=lambda: 5_000.0)


def test_before_the_first_sample_it_is_the_machines_own(time: Time, clock: Clock) -> None:
    assert clock.now_ms() == 5_000_000
    time.s += 1.5
    assert clock.now_ms() == 5_001_500


def test_the_server_is_believed_to_have_answered_half_way(time: Time, clock: Clock) -> None:
    clock.sample(9_000_000, sent_s=100.0, received_s=100.2)
    time.s = 100.2
    assert clock.now_ms() == 9_000_100


def test_it_stands_still_rather_than_go_back(time: Time, clock: Clock) -> None:
    clock.sample(9_000_000, sent_s=100.0, received_s=100.0)
    assert clock.now_ms() == 9_000_000
    clock.sample(8_000_000, sent_s=100.0, received_s=100.0)
    time.s += 999.0
    assert clock.now_ms() == 9_000_000
    time.s += 2.0
    assert clock.now_ms() == 9_001_000


def test_a_quick_answer_is_kept_against_slower_ones_for_a_while(time: Time, clock: Clock) -> None:
    clock.sample(9_000_000, sent_s=100.0, received_s=100.0)
    clock.sample(9_500_000, sent_s=100.0, received_s=102.0)
    assert clock.now_ms() == 9_000_000
    late = 100.0 + KEEP_S + 2.0
    time.s = late
    clock.sample(9_500_000, sent_s=late - 2.0, received_s=late)
    assert clock.now_ms() == 9_501_000


def test_another_servers_clock_is_believed_at_once(time: Time, clock: Clock) -> None:
    clock.sample(9_000_000, sent_s=100.0, received_s=100.0)
    clock.doubt()
    clock.sample(9_500_000, sent_s=100.0, received_s=100.2)
    assert clock.now_ms() == 9_499_900
