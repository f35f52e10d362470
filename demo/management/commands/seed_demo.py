"""Fill this Tollgate with the demo; safe to run again. `manage.py up` does, unless told --no-demo."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from demo.seed import seed


class Command(BaseCommand):
    help = "Seed the demo: World with its plans, a provider, a developer with keys, an operator."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.DEMO_URL:
            raise CommandError("There is no demo upstream: set TOLLGATE_DEMO_URL, or start `manage.py up`.")
        seeded = seed(settings.HOME, world=settings.DEMO_URL, echo=settings.ECHO_URL, at=datetime.now(UTC))
        self.stdout.write("The demo has been brought up to date." if seeded else "The demo is complete.")
