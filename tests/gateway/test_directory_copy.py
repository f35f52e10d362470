"""What a copy concludes from each answer of its server: a table of answers and verdicts."""

import pytest

from gateway.directory import Directory
from gateway.directory_copy import Changes, Copy, Entry, Position, Verdict
from tests.gateway.directory_records import key

HERE = Position("epoch-1", "100-0", 7)


def entry(n: int, *, rev: int = 1, state: str = "active") -> Entry:
    return Entry(f"{100 + n}-0", n, "key", "key-1", b"", key(rev, state=state))


def copy(position: Position = HERE) -> Copy:
    directory = Directory()
    directory.apply(key(1))
    return Copy(directory, position)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (Changes("epoch-1", 7, []), Verdict.FOLLOWED),
        (Changes("epoch-1", 9, [entry(8), entry(9)]), Verdict.FOLLOWED),
        (Changes("epoch-1", 99, [entry(8)], more=True), Verdict.FOLLOWED),
        (Changes("epoch-1", 9, [entry(9)]), Verdict.OUTDATED),  # 8 was trimmed away
        (Changes("epoch-1", 8, []), Verdict.OUTDATED),  # so was this one
        (Changes("epoch-2", 8, [entry(8)]), Verdict.OUTDATED),  # a full publish
        (Changes("epoch-2", 1, [entry(1)]), Verdict.OUTDATED),  # emptied, and filled again meanwhile
        (Changes("epoch-1", 6, []), Verdict.REGRESSED),  # it had told of 7
        (Changes("epoch-1", 9, [entry(6), entry(7), entry(8), entry(9)]), Verdict.REGRESSED),  # other 6 and 7 than ours
        (Changes("", 0, []), Verdict.EMPTIED),
        (Changes("", 9, [entry(8), entry(9)]), Verdict.EMPTIED),
    ],
)
def test_verdicts(seen, verdict):
    told = copy()
    assert told.take(seen) is verdict
    assert told.outdated is (verdict is Verdict.OUTDATED)


def test_a_revoke_beyond_a_gap_is_obeyed_before_the_reload():
    told = copy()
    assert told.take(Changes("epoch-1", 12, [entry(12, rev=5, state="revoked")])) is Verdict.OUTDATED
    assert told.table.key("d1").state == "revoked"


def test_an_emptied_server_is_read_from_its_start_and_then_followed():
    told = copy()
    told.take(Changes("", 1, []))
    assert told.position == Position()
    assert told.take(Changes("", 1, [entry(1, rev=2, state="revoked")])) is Verdict.FOLLOWED
    assert told.table.key("d1").state == "revoked"


def test_emptied_twice_it_is_read_from_its_start_twice():
    told = copy(Position("", "107-0", 7))
    assert told.take(Changes("", 2, [])) is Verdict.EMPTIED
    assert told.position == Position()


def test_an_outdated_copy_stays_outdated():
    told = copy()
    told.take(Changes("epoch-1", 9, [entry(9)]))
    assert told.take(Changes("epoch-1", 10, [entry(10)])) is Verdict.FOLLOWED
    assert told.outdated
