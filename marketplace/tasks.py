"""Doors that Celery opens: they keep true at the gateway what time or a lost store made untrue."""

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from gateway import public as gateway
from kit.django.locks import only_one
from marketplace.actions import periods, subscriptions
from marketplace.publish import publish_everything


@shared_task(name="marketplace.tasks.keep_directory")
def keep_directory(**_: object) -> None:
    """Fill a directory that is empty (a new server, or one that lost its memory), each second if need be."""
    if gateway.directory_present(settings.GATEWAY):
        return
    with only_one("fill the directory") as mine:
        if mine:
            publish_everything()


@shared_task(name="marketplace.tasks.end_subscriptions")
def end_subscriptions(**_: object) -> None:
    """End the subscriptions whose last period is over."""
    while subscriptions.end_due(at=timezone.now()):
        pass


@shared_task(name="marketplace.tasks.extend_periods")
def extend_periods(**_: object) -> None:
    """Publish the next periods of subscriptions that entered a new one."""
    while periods.extend_due(at=timezone.now()):
        pass
