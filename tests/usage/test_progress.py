from hypothesis import given
from hypothesis import strategies as st

from usage.progress import Progress, ranges

numbers = st.lists(st.integers(1, 40), max_size=60)


def test_a_gap_holds_the_committed_seq_until_it_is_filled():
    gapped = Progress().stored([(1, 3), (5, 9)])
    assert (gapped.committed, gapped.ahead) == (3, ((5, 9),))
    assert gapped.stored([(4, 4)]) == Progress(9)


def test_a_repeated_range_changes_nothing():
    once = Progress(5).stored([(8, 9)])
    assert once.stored([(1, 4), (8, 8), (9, 9)]) == once


@given(numbers, numbers)
def test_order_and_batches_make_no_difference(first, second):
    in_two = Progress().stored(ranges(first)).stored(ranges(second))
    assert in_two == Progress().stored(ranges([*second, *first]))


@given(numbers)
def test_committed_is_the_longest_run_from_one(found):
    progress = Progress().stored(ranges(found))
    assert all(number in found for number in range(1, progress.committed + 1))
    assert progress.committed + 1 not in found
    beyond = {number for first, last in progress.ahead for number in range(first, last + 1)}
    assert beyond == {number for number in found if number > progress.committed}
