"""The Celery application: tasks are doors; work lists live in PostgreSQL rows."""

import os
import signal
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_process_init, worker_ready

from config.local.announce import announce
from config.local.tether import hold_to

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("tollgate")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"visibility_timeout": 3600, "global_keyprefix": "tg:celery:"},
    timezone="UTC",
    beat_schedule={
        "consume usage": {"task": "usage.tasks.consume_usage", "schedule": 1.0, "options": {"expires": 2}},
        "sweep outbox": {"task": "kit.django.tasks.sweep_outbox", "schedule": 1.0, "options": {"expires": 2}},
        "keep counters true": {"task": "usage.tasks.rebuild_counters", "schedule": 1.0, "options": {"expires": 2}},
        "keep directory filled": {
            "task": "marketplace.tasks.keep_directory",
            "schedule": 1.0,
            "options": {"expires": 2},
        },
        "end subscriptions": {"task": "marketplace.tasks.end_subscriptions", "schedule": 60.0},
        "keep partitions ahead": {"task": "usage.tasks.keep_partitions", "schedule": 3600.0},
        "extend periods": {"task": "marketplace.tasks.extend_periods", "schedule": 600.0},
    },
)
app.autodiscover_tasks(["usage", "marketplace", "kit.django"])


@worker_ready.connect
@beat_init.connect
def say_ready(**_: Any) -> None:
    announce()


@worker_process_init.connect
def die_with_the_worker(**_: Any) -> None:
    """A pool process must not outlive a worker that was killed: its task is delivered again elsewhere."""
    hold_to(os.getppid(), signal.SIGKILL)
