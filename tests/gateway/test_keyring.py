"""From a presented secret to its key: who is asked, and how everything that fails looks alike."""

import pytest

from gateway.attempts import Attempts
from gateway.call import Refusal
from gateway.directory_store import publish, publish_all
from gateway.follower import Follower
from gateway.keyring import Keyring
from kit.secrets import key_digests, new_api_key
from tests.gateway.directory_records import PEPPERS, everything, key
from tests.gateway.stores import settings_for

LIVE = new_api_key("live")
AT_MS = 1_800_000_000_000


def live_key(rev: int = 1, *, secret: str = LIVE, peppers=PEPPERS, **more):
    return key(rev, digests=key_digests(secret, peppers), **more)


@pytest.fixture
def follower(redis, gateway_settings):
    """A loaded follower without its thread: nothing arrives but what a call asks for."""
    publish_all(gateway_settings, [*everything()[:1], *everything()[2:], live_key()])
    follower = Follower(gateway_settings)
    follower._try(follower._load_aside)
    return follower


@pytest.fixture
def keyring(follower):
    return Keyring(follower, peppers=PEPPERS, attempts=Attempts(per_minute=1_000_000))


def find(keyring, secret: str, *, client: str = "10.0.0.1", at_ms: int = AT_MS, now: float = 0.0):
    return keyring.find(secret, client=client, at_ms=at_ms, now=now)


def refused(keyring, secret: str, **more) -> str:
    with pytest.raises(Refusal) as caught:
        find(keyring, secret, **more)
    return caught.value.code


def commands(redis) -> int:
    """Commands the server has processed, without the one that asks."""
    return redis.info("stats")["total_commands_processed"]


def test_a_known_key_asks_nobody(redis, keyring):
    before = commands(redis)
    assert keyring.known(LIVE, at_ms=AT_MS).id == "key-1"
    assert find(keyring, LIVE).id == "key-1"
    assert commands(redis) - before == 1


def test_what_is_presented_again_is_still_read_at_each_call(keyring, follower):
    assert find(keyring, LIVE)
    follower.table().apply(live_key(2, state="revoked"))
    assert keyring.known(LIVE, at_ms=AT_MS) is None
    assert refused(keyring, LIVE) == "key_invalid"


def test_a_rolled_key_no_longer_answers_to_its_old_secret(gateway_settings, keyring, follower):
    assert find(keyring, LIVE)
    rolled = new_api_key("live")
    publish(gateway_settings, [live_key(2, secret=rolled)])
    follower.catch_up()
    assert find(keyring, rolled).id == "key-1"
    assert refused(keyring, LIVE) == "key_invalid"


def test_a_key_ends_at_its_expiry_to_the_millisecond(keyring, follower):
    follower.table().apply(live_key(2, expires_ms=AT_MS))
    assert find(keyring, LIVE, at_ms=AT_MS - 1)
    assert refused(keyring, LIVE, at_ms=AT_MS) == "key_invalid"


def test_both_digests_find_the_key_while_peppers_rotate(redis, gateway_settings, follower):
    rotating = Keyring(follower, peppers=("pepper-one", "pepper-two"), attempts=Attempts(per_minute=9))
    assert find(rotating, LIVE).id == "key-1"  # stored under the old pepper alone
    wrapped = new_api_key("live")
    follower.table().apply(live_key(1, id="key-2", secret=wrapped, peppers=("pepper-one", "pepper-two")))
    assert find(rotating, wrapped).id == "key-2"


def test_malformed_keys_never_reach_the_server(redis, keyring):
    before = commands(redis)
    for n in range(10_000):
        assert refused(keyring, f"{LIVE[:-1]}_{n}") == "key_invalid"
    assert commands(redis) - before == 1


def test_an_unknown_key_is_asked_for_once_a_second(redis, keyring):
    unknown, before = new_api_key("live"), commands(redis)
    for now in (0.0, 0.1, 0.9):
        assert refused(keyring, unknown, now=now) == "key_invalid"
    assert commands(redis) - before == 2
    assert refused(keyring, unknown, now=1.1) == "key_invalid"
    assert commands(redis) - before == 4


def test_a_key_whose_push_is_still_on_its_way_is_found(gateway_settings, keyring):
    fresh = new_api_key("live")
    assert refused(keyring, fresh) == "key_invalid"
    publish(gateway_settings, [live_key(1, id="key-2", secret=fresh)])
    assert find(keyring, fresh, now=1.5).id == "key-2"


def test_unknown_revoked_expired_and_malformed_refusals_are_one(keyring, follower):
    secrets = {name: new_api_key("live") for name in ("revoked", "expired", "unknown")}
    follower.table().apply(live_key(1, id="r", secret=secrets["revoked"], state="revoked"))
    follower.table().apply(live_key(1, id="e", secret=secrets["expired"], expires_ms=1))
    refusals = set()
    for secret in [*secrets.values(), "tg_live_short", "", "é" * 44]:
        with pytest.raises(Refusal) as caught:
            find(keyring, secret)
        refusals.add((caught.value.code, caught.value.detail, caught.value.retry_after, caught.value.headers))
    assert refusals == {("key_invalid", "", None, ())}


def test_beyond_the_limit_of_failures_nothing_is_looked_up(redis, follower):
    keyring = Keyring(follower, peppers=PEPPERS, attempts=Attempts(per_minute=3))
    for _ in range(3):
        assert refused(keyring, "malformed") == "key_invalid"
    before = commands(redis)
    assert refused(keyring, "malformed") == "too_many_attempts"
    assert refused(keyring, new_api_key("live")) == "too_many_attempts"
    assert commands(redis) - before == 1
    assert find(keyring, LIVE).id == "key-1"  # a neighbour behind the same address
    assert refused(keyring, "malformed", client="10.0.0.2") == "key_invalid"
    assert refused(keyring, "malformed", now=61.0) == "key_invalid"


def test_misses_are_remembered_within_a_bound(follower):
    keyring = Keyring(follower, peppers=PEPPERS, attempts=Attempts(per_minute=1_000_000))
    for n in range(10_050):
        keyring._miss(f"digest-{n}", now=0.0)
    assert len(keyring._misses) == 10_000
    assert "digest-10049" in keyring._misses


def test_without_the_server_an_unknown_key_is_not_called_invalid(mortal, tmp_path):
    settings = settings_for(mortal.url, tmp_path)
    publish_all(settings, [live_key()])
    follower = Follower(settings)
    follower._try(follower._load_aside)
    keyring = Keyring(follower, peppers=PEPPERS, attempts=Attempts(per_minute=100))
    mortal.kill()
    assert refused(keyring, new_api_key("live")) == "directory_stale"
    assert refused(keyring, "malformed") == "key_invalid"
    assert find(keyring, LIVE).id == "key-1"
    mortal.restart()
