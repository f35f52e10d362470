"""Failed authentications per address: bounded in number and in memory."""

from gateway.attempts import Attempts


def test_beyond_the_limit_an_address_waits_until_its_minute_ends():
    attempts = Attempts(per_minute=3)
    for second in (0, 1, 2):
        assert attempts.wait_s("10.0.0.1", now=second) == 0
        attempts.failed("10.0.0.1", now=second)
    assert attempts.wait_s("10.0.0.1", now=2) == 58
    assert attempts.wait_s("10.0.0.2", now=2) == 0
    assert attempts.wait_s("10.0.0.1", now=60) == 0
    attempts.failed("10.0.0.1", now=61)
    assert attempts.wait_s("10.0.0.1", now=61) == 0


def test_an_ipv6_client_is_its_64():
    attempts = Attempts(per_minute=1)
    attempts.failed("2001:db8:0:1::1", now=0)
    assert attempts.wait_s("2001:db8:0:1:ffff::2", now=0) == 60
    assert attempts.wait_s("2001:db8:0:2::1", now=0) == 0


def test_memory_is_bounded_and_the_oldest_window_goes_first():
    attempts = Attempts(per_minute=1, clients=2)
    for n, client in enumerate(("1.1.1.1", "2.2.2.2", "3.3.3.3")):
        attempts.failed(client, now=n)
    waits = [attempts.wait_s(client, now=3) for client in ("1.1.1.1", "2.2.2.2", "3.3.3.3")]
    assert waits == [0, 58, 59]
