"""How far the events of one boot are stored without a gap. Pure.

A boot counts its events from 1. What is stored beyond a gap is remembered as ranges, so that the re-shipped gap
closes it at once and nothing that was seen has to be seen again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

Range = tuple[int, int]  # first and last, both stored


@dataclass(frozen=True)
class Progress:
    """`committed`: this event and all before it are stored. `ahead`: disjoint ranges beyond, in order."""

    committed: int = 0
    ahead: tuple[Range, ...] = ()

    def stored(self, ranges: Iterable[Range]) -> "Progress":
        """Add what was stored now; the order and repetition of ranges make no difference."""
        committed, ahead = self.committed, []
        for first, last in _joined([*self.ahead, *ranges]):
            if first <= committed + 1:
                committed = max(committed, last)
            else:
                ahead.append((first, last))
        return Progress(committed, tuple(ahead))


def ranges(numbers: Iterable[int]) -> list[Range]:
    """Fold single numbers into ranges."""
    return _joined((number, number) for number in numbers)


def _joined(parts: Iterable[Range]) -> list[Range]:
    joined: list[Range] = []
    for first, last in sorted(parts):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined
