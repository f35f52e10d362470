"""`manage.py rotate_keys`: put the digests of all API keys under the newest pepper."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from marketplace.actions.peppers import forget_previous, rewrap


class Command(BaseCommand):
    help = (
        "Put the digests of all API keys under the newest pepper of TOLLGATE_KEY_PEPPERS. Add the pepper at the end "
        "of the list, restart, run this; when every gateway runs with the new list, run it with --finish."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--finish", action="store_true", help="forget the digests under the pepper before")

    def handle(self, *args: Any, finish: bool, **options: Any) -> None:
        done = 0
        while count := (forget_previous() if finish else rewrap(peppers=settings.KEY_PEPPERS)):
            done += count
        self.stdout.write(f"{done:,} keys {'finished' if finish else 'rewrapped'}.")
