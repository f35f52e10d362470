"""No line, however wrong, stops the stream: it is counted, set aside or a dead letter."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.ids import uuid7
from tests.usage.conftest import empty_tables
from tests.usage.journal import NOW, ago, line, message
from usage.audit import drift
from usage.intake import store
from usage.lines import read_message
from usage.models import DeadLetter, Quarantine, UsageEvent

pytestmark = pytest.mark.django_db(transaction=True)

INTEGERS = st.integers(-(1 << 70), 1 << 70) | st.sampled_from(
    [-1, 0, 1, (1 << 31) - 1, 1 << 31, (1 << 53) - 1, 1 << 53, 1 << 63]
)
ODD = st.one_of(
    INTEGERS,
    st.text(max_size=300),
    st.sampled_from(["\0", "\\u0000", "\u2028", "ééé" * 100, "\U0001f600"]),
    st.none(),
    st.booleans(),
    st.floats(),
    st.dictionaries(st.text(max_size=5), INTEGERS | st.text(max_size=2000), max_size=3),
    st.builds(lambda ms: str(uuid7(ms)), st.integers(0, (1 << 48) - 1)),
)
FIELDS = sorted(msgspec.to_builtins(line(1)))


def hostile(changes: dict[str, object]) -> bytes:
    given = msgspec.to_builtins(line(2)) | changes
    return msgspec.json.encode(given)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    changes=st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=3),
    cut=st.integers(0, 900) | st.none(),
    envelope=st.dictionaries(
        st.sampled_from([b"first_seq", b"last_seq", b"file", b"offset", b"dead"]), st.binary(max_size=20), max_size=2
    ),
)
def test_every_line_ends_in_exactly_one_place(changes, cut, envelope):
    empty_tables()
    raw = hostile(changes)[:cut].replace(b"\n", b"") or b"x"
    fields = message([line(1), raw, line(3)]) | envelope
    store(read_message(fields), at=NOW)
    store(read_message(fields), at=NOW)
    found = UsageEvent.objects.count(), Quarantine.objects.count(), DeadLetter.objects.count()
    assert sum(found) == 3
    assert found[0] >= 2
    assert drift(start=ago(days=60).replace(minute=0), end=ago(days=-1).replace(minute=0)) == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from([b"boot", b"file", b"lines", b"first_seq", b"last_seq", b"dead"]) | st.binary(max_size=5),
        st.binary(max_size=60),
    )
)
def test_any_message_is_taken(fields):
    empty_tables()
    store(read_message(fields), at=NOW)
