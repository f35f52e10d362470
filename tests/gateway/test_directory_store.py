"""Publishing into a real Valkey: what is in force afterwards, and what a late or repeated publish cannot undo."""

import msgspec
import pytest

from gateway import directory_feed as feed
from gateway import names
from gateway.directory_store import NotPublished, announce, directory_present, publish, publish_all
from gateway.records import Key
from tests.gateway.directory_records import everything, key, organization
from tests.gateway.stores import settings_for


def stored_key(redis, key_id: str = "key-1") -> Key | None:
    text = redis.hget(names.records_of("key"), key_id)
    return msgspec.json.decode(text, type=Key) if text else None


def test_a_record_is_stored_indexed_and_logged(redis, gateway_settings):
    publish(gateway_settings, [key(1, digests=("aa", "bb"))])
    assert stored_key(redis) == key(1, digests=("aa", "bb"))
    assert feed.key_published(redis, ("zz", "bb"))
    seen = feed.changes(redis, after="0-0")
    assert [(entry.n, entry.kind, entry.record) for entry in seen.entries] == [(1, "key", stored_key(redis))]
    assert redis.get(names.DIRECTORY_VERSION).decode() == seen.entries[0].version


@pytest.mark.parametrize("rev", [1, 2])
def test_an_older_or_equal_rev_changes_nothing(redis, gateway_settings, rev):
    publish(gateway_settings, [key(2, state="revoked")])
    publish(gateway_settings, [key(rev)])
    assert stored_key(redis).state == "revoked"
    assert feed.changes(redis, after="0-0").count == 1


def test_removed_digests_find_nothing(redis, gateway_settings):
    publish(gateway_settings, [key(1, digests=("aa", "bb"))])
    publish(gateway_settings, [key(2, digests=("bb", "cc"))])
    assert [feed.key_published(redis, (digest,)) for digest in ("aa", "bb", "cc")] == [False, True, True]


def test_suspending_an_organization_with_many_keys_is_one_message(redis, gateway_settings):
    keys = [key(id=f"key-{n}", digests=(f"d{n}",)) for n in range(1000)]
    publish(gateway_settings, [organization(1), *keys])
    before = feed.changes(redis, after="0-0").count
    publish(gateway_settings, [organization(2, state="suspended")])
    assert feed.changes(redis, after="0-0").count - before == 1


def test_a_full_publish_holds_exactly_what_it_was_given(redis, gateway_settings):
    publish(gateway_settings, [key(id="gone", digests=("gg",)), key(1)])
    publish_all(gateway_settings, iter(everything()))
    table, _ = feed.load(redis)
    assert len(list(table.records())) == len(everything())
    assert stored_key(redis, "gone") is None
    assert not feed.key_published(redis, ("gg",))
    publish(gateway_settings, [key(1, id="gone", digests=("gg",))])  # and what is gone may come again
    assert stored_key(redis, "gone") is not None


def test_a_full_publish_does_not_undo_what_changes_meanwhile(redis, gateway_settings):
    publish(gateway_settings, [key(1), key(1, id="late", digests=("ll",))])

    def read_slowly():
        yield from everything()
        publish(gateway_settings, [key(2, state="revoked"), key(2, id="late", digests=("ll",))])
        yield key(1)  # as a reader saw it before the revoke

    publish_all(gateway_settings, read_slowly())
    assert stored_key(redis).state == "revoked"
    assert stored_key(redis, "late").rev == 2


def test_a_full_publish_renews_records_of_an_equal_rev(redis, gateway_settings):
    publish_all(gateway_settings, [key(1, scopes=("as an older release wrote it",))])
    publish_all(gateway_settings, [key(1)])
    assert stored_key(redis) == key(1)


def test_the_directory_is_present_only_when_it_is_whole(redis, gateway_settings):
    def half():
        yield from everything()
        assert not directory_present(gateway_settings)
        assert feed.load(redis) is None

    assert not directory_present(gateway_settings)
    publish_all(gateway_settings, half())
    assert directory_present(gateway_settings)


def test_a_server_that_is_emptied_while_it_is_filled_is_not_called_whole(redis, gateway_settings):
    def emptied():
        yield from everything()
        redis.flushall()
        yield from (key(id=f"key-{n}", digests=(f"d{n}",)) for n in range(500))

    with pytest.raises(NotPublished, match="emptied"):
        publish_all(gateway_settings, emptied())
    assert not directory_present(gateway_settings)


def test_two_full_publishes_at_once_end_in_a_whole_directory(redis, gateway_settings):
    def and_another():
        yield from everything()[:2]
        publish_all(gateway_settings, everything())
        yield from everything()[2:]

    publish_all(gateway_settings, and_another())
    table, _ = feed.load(redis)
    assert len(list(table.records())) == len(everything())
    assert not redis.exists(names.DIRECTORY_FILLING)


def test_a_load_that_straddles_a_full_publish_is_thrown_away(redis, gateway_settings):
    publish_all(gateway_settings, everything())
    publishes = iter([lambda: publish_all(gateway_settings, everything())])
    assert feed.load(redis, meanwhile=lambda: next(publishes, lambda: None)()) is None
    assert feed.load(redis) is not None


def test_an_announcement_is_an_entry_without_a_record(redis, gateway_settings):
    version = announce(gateway_settings, kind="announce", ident="round-1", body=b'{"at":1}')
    (entry,) = feed.changes(redis, after="0-0").entries
    assert (entry.version, entry.kind, entry.id, entry.body, entry.record) == (
        version,
        "announce",
        "round-1",
        b'{"at":1}',
        None,
    )


def test_a_record_that_cannot_be_read_does_not_hold_up_the_rest(redis, gateway_settings):
    publish_all(gateway_settings, everything())
    redis.hset(names.records_of("key"), "broken", "{")
    table, _ = feed.load(redis)
    assert len(list(table.records())) == len(everything())


def test_no_server_is_an_error_not_a_silence(tmp_path):
    away = settings_for("redis://127.0.0.1:1/0", tmp_path)
    for ask in (lambda: publish(away, [key()]), lambda: publish_all(away, []), lambda: directory_present(away)):
        with pytest.raises(NotPublished):
            ask()
