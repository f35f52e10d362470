"""The latency histogram of a rollup row: its steps, and percentiles read from it."""

from collections.abc import Sequence

BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000)
"""Upper bound of each step, inclusive; one more step takes what is slower."""

STEPS = len(BOUNDS_MS) + 1


def percentile(counts: Sequence[int], share: float) -> float | None:
    """Read a percentile (`share` 0.95 = p95) in milliseconds, linear within its step; None without calls.

    What is slower than the last bound is given as that bound.
    """
    rank = share * sum(counts)
    if not rank:
        return None
    below, start = 0, 0
    for count, bound in zip(counts, BOUNDS_MS, strict=False):
        if below + count >= rank:
            return start + (bound - start) * (rank - below) / count
        below, start = below + count, bound
    return float(BOUNDS_MS[-1])
