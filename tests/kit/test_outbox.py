"""The outbox: told once committed, never inside a transaction; what fails or is left behind is swept."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from accounts.models import Organization
from kit.django.models import Outbox
from kit.django.outbox import Undelivered, deliver, emit, sweep, touch
from kit.django.tasks import sweep_outbox
from tests.kit import handlers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _handlers(settings):
    settings.OUTBOX_HANDLERS = {"news": "tests.kit.handlers.take", "gone": "tests.kit.handlers.nobody"}
    handlers.forget()


def due() -> None:
    """Let the back-off of every open row be over."""
    with connection.cursor() as cursor:
        cursor.execute("update kit_outbox set next_at = now() where done_at is null")


def left_behind(*keys: str) -> list[int]:
    """Rows of a process that died between its commit and the delivery."""
    return [Outbox.objects.create(topic="news", key=key, payload={"n": n}).id for n, key in enumerate(keys)]


def test_nothing_is_told_before_the_commit():
    with transaction.atomic():
        emit("news", key="a", payload={"n": 1})
        assert handlers.taken == []
    assert handlers.taken == [("a", {"n": 1})]
    row = Outbox.objects.get()
    assert row.done_at is not None
    assert row.attempts == 1


def test_a_rollback_tells_nothing():
    with pytest.raises(KeyError), transaction.atomic():
        emit("news", key="a")
        raise KeyError
    assert handlers.taken == []
    assert not Outbox.objects.exists()


def test_an_inner_rollback_takes_its_news_with_it():
    with transaction.atomic():
        emit("news", key="outer")
        with pytest.raises(KeyError), transaction.atomic():
            emit("news", key="inner")
            raise KeyError
    assert [key for key, _ in handlers.taken] == ["outer"]


def test_emit_belongs_into_a_transaction_and_to_a_known_topic():
    with pytest.raises(TransactionManagementError):
        emit("news", key="a")
    with pytest.raises(ImproperlyConfigured, match="gossip"), transaction.atomic():
        emit("gossip", key="a")


def test_a_failed_delivery_is_said_and_the_change_stays():
    handlers.away.add("a")
    with pytest.raises(Undelivered) as caught, transaction.atomic():
        emit("news", key="a")
    assert caught.value.entries == (("news", "a"),)
    row = Outbox.objects.get()
    assert row.done_at is None
    assert row.last_error == "ConnectionError: no way to a"


def test_what_may_wait_is_left_to_the_sweeper():
    handlers.away.add("a")
    with transaction.atomic():
        emit("news", key="a", may_wait=True)
    handlers.away.clear()
    due()
    assert sweep() == 1
    assert handlers.taken == [("a", {})]


def test_a_handler_that_is_not_there_is_a_failed_delivery():
    with pytest.raises(Undelivered), transaction.atomic():
        emit("gone", key="a")
    assert Outbox.objects.get().last_error.startswith("ImportError")


def test_the_sweeper_delivers_what_a_dead_process_left():
    left_behind("a", "b")
    assert sweep() == 0  # the commit's own delivery has its first second
    due()
    sweep_outbox()
    assert handlers.taken == [("a", {"n": 0}), ("b", {"n": 1})]
    assert not Outbox.objects.filter(done_at=None).exists()


def test_rows_of_one_key_are_delivered_as_one_with_the_newest_payload():
    left_behind("a", "a", "b", "a")
    due()
    assert sweep() == 2
    assert sorted(handlers.taken) == [("a", {"n": 3}), ("b", {"n": 2})]
    assert not Outbox.objects.filter(done_at=None).exists()


def test_delivering_a_row_settles_the_older_ones_of_its_key():
    old, _other, new = left_behind("a", "b", "a")
    deliver([new])
    assert handlers.taken == [("a", {"n": 2})]
    assert Outbox.objects.get(id=old).done_at is not None
    assert Outbox.objects.filter(done_at=None).count() == 1


def test_a_row_that_commits_while_its_key_is_delivered_stays_open(monkeypatch, settings):
    """It may say something newer than what the handler read."""
    (row,) = left_behind("a")
    newer: list[int] = []

    def take_and_see_another(key, payload):
        handlers.take(key, payload)
        newer.extend(left_behind("a"))

    monkeypatch.setattr(handlers, "late", take_and_see_another, raising=False)
    settings.OUTBOX_HANDLERS = {"news": "tests.kit.handlers.late"}
    deliver([row])
    assert list(Outbox.objects.filter(done_at=None).values_list("id", flat=True)) == newer


def test_one_that_fails_does_not_hold_up_the_others():
    left_behind("a", "b", "c")
    handlers.away.add("b")
    due()
    assert sweep() == 2
    assert [key for key, _ in handlers.taken] == ["a", "c"]


def test_the_pauses_grow_from_one_second_to_thirty():
    (row,) = left_behind("a")
    handlers.away.add("a")
    pauses = []
    for _ in range(0, 400, 40):
        Outbox.objects.filter(id=row).update(attempts=len(pauses) * 40)
        due()
        assert sweep() == 0
        with connection.cursor() as cursor:
            cursor.execute("select round(extract(epoch from next_at - now())) from kit_outbox")
            pauses.append(int(cursor.fetchone()[0]))
    assert pauses == [1, 4, 8, 12, 16, 20, 24, 28, 30, 30]


def test_a_sweeper_that_dies_in_the_middle_costs_ten_seconds(settings):
    settings.OUTBOX_HANDLERS = {"news": "tests.kit.handlers.die"}
    left_behind("a")
    due()
    with pytest.raises(SystemExit):
        sweep()
    settings.OUTBOX_HANDLERS = {"news": "tests.kit.handlers.take"}
    assert sweep() == 0
    with connection.cursor() as cursor:
        cursor.execute("update kit_outbox set next_at = next_at - interval '10 seconds'")
    assert sweep() == 1
    assert handlers.taken == [("a", {"n": 0})]


def test_done_is_done():
    (row,) = left_behind("a")
    deliver([row])
    deliver([row])
    due()
    assert sweep() == 0
    assert len(handlers.taken) == 1


def test_old_done_rows_are_dropped_and_open_ones_never():
    done, open_row, fresh = left_behind("a", "b", "c")
    deliver([done, fresh])
    with connection.cursor() as cursor:
        cursor.execute("update kit_outbox set done_at = done_at - interval '25 hours' where id = %s", [done])
        cursor.execute(
            "update kit_outbox set created_at = created_at - interval '9 days', next_at = now() + interval '9 days'"
            " where id = %s",
            [open_row],
        )
    sweep()
    assert set(Outbox.objects.values_list("id", flat=True)) == {open_row, fresh}


def test_nothing_is_delivered_inside_a_transaction():
    (row,) = left_behind("a")
    with transaction.atomic():
        for tell in (lambda: deliver([row]), sweep):
            with pytest.raises(RuntimeError, match="durable"):
                tell()
    assert handlers.taken == []


def together(*work: Callable[[], None]) -> None:
    """Run each in a thread of its own, with its own connection; raise what any raised."""

    def run(each: Callable[[], None]) -> None:
        try:
            each()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(run, each) for each in work]:
            done.result(20)


def test_two_sweepers_share_the_work():
    left_behind(*(f"k{n}" for n in range(450)))
    due()
    counts: list[int] = []
    together(*(lambda: counts.append(sweep()) for _ in range(2)))
    assert sum(counts) == 450
    assert sorted(key for key, _ in handlers.taken) == sorted(f"k{n}" for n in range(450))


def test_a_delivery_waits_for_the_row_another_is_claiming():
    """A revoke must not answer "done" because a sweeper happens to hold its row."""
    (row,) = left_behind("a")
    claimed, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Outbox.objects.select_for_update().get(id=row)
            claimed.set()
            go_on.wait(10)

    def ask() -> None:
        claimed.wait(10)
        threading.Timer(0.2, go_on.set).start()
        started = time.monotonic()
        deliver([row])
        assert time.monotonic() - started > 0.1

    together(hold, ask)
    assert handlers.taken == [("a", {"n": 0})]


def test_touch_counts_every_change_however_many_at_once():
    row = Organization.objects.create(name="Acme", slug="acme")
    seen: list[int] = []

    def change() -> None:
        with transaction.atomic():
            mine = Organization.objects.get(id=row.id)
            seen.append(touch(mine))
            assert mine.rev == seen[-1] or mine.rev in seen

    together(*[change] * 8)
    row.refresh_from_db()
    assert row.rev == 9
    assert sorted(seen) == list(range(2, 10))


def test_touch_belongs_into_a_transaction():
    row = Organization.objects.create(name="Acme", slug="acme")
    with pytest.raises(TransactionManagementError):
        touch(row)
