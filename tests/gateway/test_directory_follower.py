"""A follower beside a real Valkey that loses pushes, freezes, empties and forgets."""

import time
from contextlib import contextmanager

import pytest

from gateway import names
from gateway.call import Refusal
from gateway.directory_store import announce, directory_present, publish, publish_all
from gateway.follower import Follower
from tests.gateway.directory_records import everything, key, organization
from tests.gateway.stores import settings_for, until


@contextmanager
def following(settings, **more):
    follower = Follower(settings, **more)
    follower.start()
    try:
        yield follower
    finally:
        follower.stop()


def state(follower) -> str:
    return follower.table().key("d1").state


@pytest.mark.parametrize("push", ["", "drop", "delay:800"])
def test_a_revoke_arrives_within_a_second_whatever_becomes_of_the_push(redis, gateway_settings, push):
    publish_all(gateway_settings, everything())
    with following(gateway_settings, push=push) as follower:
        for rev in range(2, 6):
            publish(gateway_settings, [key(rev, state="revoked" if rev % 2 == 0 else "active")])
            until(lambda rev=rev: follower.table().key("d1").rev == rev, within=1.0)


def test_a_counter_pipeline_that_saw_a_newer_version_catches_up_at_once(redis, gateway_settings):
    publish_all(gateway_settings, everything())
    follower = Follower(gateway_settings, push="drop")
    follower._try(follower._load_aside)  # loaded, and no thread that could help
    publish(gateway_settings, [key(2, state="revoked")])
    assert state(follower) == "active"
    version = redis.get(names.DIRECTORY_VERSION).decode()
    assert follower.ensure_version(version)
    assert state(follower) == "revoked"
    assert not follower.ensure_version(version)
    assert not follower.ensure_version("")


def test_nothing_is_served_before_the_directory_is_whole(redis, gateway_settings):
    publish(gateway_settings, everything())  # changes in the log of a server that was never filled
    with following(gateway_settings) as follower:
        with pytest.raises(Refusal) as refused:
            follower.table()
        assert refused.value.code == "directory_stale"
        publish_all(gateway_settings, everything())
        until(lambda: follower._copy, within=1.0)
        assert len(list(follower.table().records())) == len(everything())


def test_an_emptied_server_serves_from_memory_and_still_obeys(redis, gateway_settings):
    publish_all(gateway_settings, everything())
    with following(gateway_settings) as follower:
        redis.flushall()
        until(lambda: follower.version() == "0-0", within=1.0)
        assert state(follower) == "active"
        publish(gateway_settings, [key(2, state="revoked")])
        until(lambda: state(follower) == "revoked", within=1.0)
        publish_all(gateway_settings, [*everything(), key(2, state="revoked")])
        until(lambda: follower._copy.position.epoch, within=1.0)
        assert state(follower) == "revoked"
        assert len(list(follower.table().records())) == len(everything())


def test_a_refill_is_never_seen_half_done(redis, gateway_settings):
    many = [organization(), *(key(id=f"key-{n}", digests=(f"d{n}",)) for n in range(2000))]
    publish_all(gateway_settings, many)
    with following(gateway_settings) as follower:
        counts = set()

        def watched():
            for record in many:
                counts.add(len(list(follower.table().records())))
                yield record

        redis.flushall()
        publish_all(gateway_settings, watched())
        epoch = redis.get(names.DIRECTORY_EPOCH).decode()
        until(
            lambda: counts.add(len(list(follower.table().records()))) or follower._copy.position.epoch == epoch,
            within=1.0,
        )
        assert counts == {len(many)}
        assert len(list(follower.table().records())) == len(many)


def test_a_server_that_lost_acknowledged_writes_is_filled_again(redis, gateway_settings):
    publish_all(gateway_settings, everything())
    old = {name: redis.dump(name) for name in redis.keys("tg:dir:*")}
    publish(gateway_settings, [key(2, state="revoked")])
    with following(gateway_settings) as follower:
        for name, value in old.items():  # a replica that was behind takes over
            redis.restore(name, 0, value, replace=True)
        until(lambda: not directory_present(gateway_settings), within=1.0)
        assert state(follower) == "revoked"
        publish_all(gateway_settings, [*everything(), key(2, state="revoked")])
        until(lambda: follower._copy.position.epoch, within=1.0)
        assert state(follower) == "revoked"


def test_entries_trimmed_before_they_were_read_mean_a_reload(redis, gateway_settings):
    publish_all(gateway_settings, everything())
    follower = Follower(gateway_settings)
    follower._try(follower._load_aside)
    publish(gateway_settings, [organization(2, state="suspended"), key(2)])
    redis.xtrim(names.DIRECTORY_LOG, maxlen=1, approximate=False)
    follower.catch_up()
    assert follower.table().organizations["org-1"].state == "active"  # its entry is gone…
    follower.start()
    try:
        until(lambda: follower.table().organizations["org-1"].state == "suspended", within=1.0)  # …the record is not
    finally:
        follower.stop()


def test_announcements_are_told_and_a_failing_listener_stops_nothing(redis, gateway_settings):
    publish_all(gateway_settings, everything())
    told = []

    def listener(entry):
        told.append((entry.id, entry.body))
        raise ValueError("a listener's bug")

    with following(gateway_settings) as follower:
        follower.listen("announce", listener)
        announce(gateway_settings, kind="announce", ident="round-1", body=b"{}")
        until(lambda: told == [("round-1", b"{}")], within=1.0)
        publish(gateway_settings, [key(2, state="revoked")])
        until(lambda: state(follower) == "revoked", within=1.0)


def test_without_its_server_the_table_serves_until_stale_max(mortal, tmp_path):
    settings = settings_for(mortal.url, tmp_path, stale_max_s=900)
    publish_all(settings, everything())
    ahead = [0.0]
    with following(settings, clock=lambda: time.monotonic() + ahead[0]) as follower:
        mortal.kill()
        until(lambda: follower._away, within=2.0)
        ahead[0] = 890
        assert state(follower) == "active"
        ahead[0] = 901
        with pytest.raises(Refusal, match="directory_stale"):
            follower.table()
        mortal.restart()
        until(lambda: not follower._away, within=2.0)
        assert state(follower) == "active"


def test_a_server_that_restarts_empty_is_followed_again(mortal, tmp_path):
    settings = settings_for(mortal.url, tmp_path)
    publish_all(settings, everything())
    with following(settings) as follower:
        mortal.kill()
        mortal.restart(empty=True)
        publish(settings, [key(2, state="revoked")])
        until(lambda: state(follower) == "revoked", within=1.0)
        assert follower.table().api("world") is not None


def test_a_frozen_server_costs_a_call_a_quarter_of_a_second_once(mortal, tmp_path):
    settings = settings_for(mortal.url, tmp_path)
    publish_all(settings, everything())
    with following(settings) as follower:
        mortal.freeze()
        begun = time.monotonic()
        for _ in range(20):
            assert not follower.ensure_version("99999999999999-0")
        assert time.monotonic() - begun < 1.0
        assert state(follower) == "active"
        mortal.thaw()
        publish(settings, [key(2, state="revoked")])
        until(lambda: state(follower) == "revoked", within=1.0)
