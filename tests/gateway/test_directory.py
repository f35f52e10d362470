"""The table: joins, indexes, and that no order of arrival can move it backwards."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.directory import Directory
from gateway.records import Standing
from tests.gateway.directory_records import api, everything, key, organization, plan_version, subscription


def table(*records) -> Directory:
    directory = Directory()
    for record in records:
        directory.apply(record)
    return directory


def test_a_key_is_found_by_each_of_its_digests_in_whatever_state():
    directory = table(key(digests=("new", "old"), state="revoked"))
    assert directory.key("new") is directory.key("old")
    assert directory.key("new").state == "revoked"
    assert directory.key("other") is None


def test_a_removed_digest_no_longer_finds_the_key():
    directory = table(key(1, digests=("a", "b")), key(2, digests=("b", "c")))
    assert [directory.key(digest) is not None for digest in "abc"] == [False, True, True]


def test_an_older_or_equal_rev_never_replaces():
    directory = table(key(2, state="revoked"))
    assert not directory.apply(key(1))
    assert not directory.apply(key(2))
    assert directory.key("d1").state == "revoked"
    assert directory.apply(key(3))
    assert directory.key("d1").state == "active"


def test_an_api_that_changes_its_slug_is_found_under_the_new_one_only():
    directory = table(api(1, slug="world"), api(2, slug="earth"))
    assert directory.api("world") is None
    assert directory.api("earth").rev == 2


def test_a_slug_handed_on_belongs_to_its_new_api():
    directory = table(api(1, id="a", slug="world"), api(1, id="b", slug="world"), api(2, id="a", slug="old-world"))
    assert directory.api("world").id == "b"
    assert directory.api("old-world").id == "a"


def test_the_live_subscription_counts_whatever_arrived_last():
    cancelled, live = subscription(id="sub-2", state="cancelled"), subscription(id="sub-1")
    for order in ((cancelled, live), (live, cancelled)):
        assert table(*order).subscription(project="prj-1", api="api-1").id == "sub-1"


def test_a_bundle_covers_several_apis_and_may_lose_one():
    directory = table(subscription(1, apis=("api-1", "api-2")), subscription(2, apis=("api-2",)))
    assert directory.subscription(project="prj-1", api="api-1") is None
    assert directory.subscription(project="prj-1", api="api-2").rev == 2


def test_a_grant_joins_what_is_there_and_leaves_out_what_is_not():
    directory = table(organization(), key(), api())
    grant = directory.grant(key(), api=directory.api("world"))
    assert (grant.organization.id, grant.subscription, grant.plan_version) == ("org-1", None, None)
    assert table(key(), api()).grant(key(), api=api()) is None


def test_a_grant_keeps_its_compiled_terms_until_any_part_changes():
    directory = table(*everything())

    def grant():
        return directory.grant(directory.key("d1"), api=directory.api("world"))

    first = grant()
    first.terms["op"] = "compiled"
    assert grant() is first
    changes = [organization(2), key(2), subscription(2), plan_version(2), api(2), Standing("sub-1", 1, "limited")]
    for change in changes:
        before = grant()
        assert directory.apply(change)
        assert grant() is not before
        assert grant().terms == {}
    assert grant().standing.state == "limited"


def test_an_api_is_compiled_once_per_published_state():
    directory, compiled = table(api(1)), []

    def compile_api(record):
        compiled.append(record.rev)
        return f"routes of {record.rev}"

    assert [directory.compiled(directory.api("world"), compile_api) for _ in range(2)] == ["routes of 1"] * 2
    directory.apply(api(2))
    assert directory.compiled(directory.api("world"), compile_api) == "routes of 2"
    assert compiled == [1, 2]


STATES = st.sampled_from(["active", "cancelled"])
HISTORIES = st.lists(
    st.one_of(
        st.builds(
            lambda rev, n, digests: key(rev, id=f"key-{n}", digests=tuple(f"{n}{d}" for d in digests)),
            st.integers(1, 5),
            st.integers(1, 2),
            st.sets(st.sampled_from("abc"), min_size=1),
        ),
        st.builds(
            lambda rev, n, apis, state: subscription(rev, id=f"sub-{n}", apis=tuple(sorted(apis)), state=state),
            st.integers(1, 5),
            st.integers(1, 3),
            st.sets(st.sampled_from(["api-1", "api-2"])),
            STATES,
        ),
    ),
    max_size=12,
    unique_by=lambda record: (record.id, record.rev),  # one content per rev, as marketplace publishes
)


@given(HISTORIES, st.randoms(use_true_random=False))
def test_late_repeated_and_reordered_entries_end_in_the_same_table(history, random):
    shuffled = history + random.sample(history, len(history) // 2)
    random.shuffle(shuffled)
    one, other = table(*history), table(*shuffled)
    assert one.keys == other.keys
    assert one.subscriptions == other.subscriptions
    for digest in [f"{n}{d}" for n in (1, 2) for d in "abc"]:
        assert one.key(digest) == other.key(digest)
    for api_id in ("api-1", "api-2"):
        assert one.subscription(project="prj-1", api=api_id) == other.subscription(project="prj-1", api=api_id)
