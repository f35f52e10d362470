"""Doors that Celery opens."""

from celery import shared_task

from kit.django import outbox


@shared_task(name="kit.django.tasks.sweep_outbox")  # type: ignore[no-untyped-call, untyped-decorator]
def sweep_outbox(**_: object) -> None:
    """Deliver what commits left behind."""
    outbox.sweep()
