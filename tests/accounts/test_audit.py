"""The audit log: written with the change, and never rewritten."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from accounts.models import AuditEvent
from accounts.public import Actor, record
from kit.ids import uuid7
from tests.accounts.world import NOW


def write(**fields):
    record(
        **{
            "actor": Actor("user", uuid7(), "alice@acme.example", "203.0.113.9"),
            "action": "key.created",
            "target_kind": "key",
            "target_id": uuid7(),
            "target_label": "laptop",
            "organization_id": uuid7(),
            "at": NOW,
            **fields,
        }
    )
    return AuditEvent.objects.get()


def test_an_event_says_who_what_and_from_where(db):
    event = write(before={"state": "active"}, after={"state": "revoked", "price": Decimal("0.005"), "id": uuid7(0)})
    assert (event.at, event.actor_kind, event.actor_label, event.ip) == (
        NOW,
        "user",
        "alice@acme.example",
        "203.0.113.9",
    )
    assert event.before == {"state": "active"}
    assert event.after["price"] == "0.005"
    assert str(event).startswith("2026-11-20 12:00 alice@acme.example key.created laptop")


def test_long_labels_are_cut_not_refused(db):
    assert len(write(target_label="x" * 1000).target_label) == 254


@pytest.mark.parametrize(
    "sql",
    [
        "update accounts_auditevent set action = 'nothing.happened'",
        "update accounts_auditevent set before = before",
        "delete from accounts_auditevent",
        "truncate accounts_auditevent",
        "truncate accounts_auditevent cascade",
    ],
)
def test_postgresql_refuses_to_rewrite_it(db, sql):
    write()
    with connection.cursor() as cursor:
        # other tests empty their tables by truncating them, so it is off while they run
        cursor.execute("alter table accounts_auditevent enable trigger audit_table_final")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute(sql)
    assert AuditEvent.objects.get().action == "key.created"


def test_django_cannot_either(db):
    event = write()
    for rewrite in (event.delete, event.save, AuditEvent.objects.all().delete):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            rewrite()


@pytest.mark.django_db(transaction=True)
def test_it_is_written_in_the_transaction_of_the_change():
    with pytest.raises(TransactionManagementError):
        write()
    with pytest.raises(KeyError), transaction.atomic():
        write()
        raise KeyError
    assert not AuditEvent.objects.exists()
