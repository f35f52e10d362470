import pytest

from usage.latency import BOUNDS_MS, STEPS, percentile


def counts(**given: int) -> list[int]:
    """`upto_50=3`: three calls in the step that ends at 50 ms."""
    steps = [0] * STEPS
    for name, count in given.items():
        steps[BOUNDS_MS.index(int(name.removeprefix("upto_")))] = count
    return steps


@pytest.mark.parametrize(
    ("histogram", "share", "expected"),
    [
        ([0] * STEPS, 0.5, None),
        ([], 0.5, None),
        (counts(upto_1=10), 0.5, 0.5),
        (counts(upto_50=10), 0.5, 35.0),
        (counts(upto_20=50, upto_1000=50), 0.95, 950.0),
        ([*counts()[:-1], 4], 0.5, 60_000.0),
    ],
)
def test_percentiles_are_read_within_their_step(histogram, share, expected):
    assert percentile(histogram, share) == expected
