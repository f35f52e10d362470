"""Start the whole of Tollgate. manage.py runs it before Django is set up; this makes `manage.py help` know it."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.local import plan, up


class Command(BaseCommand):
    help = "Start everything: stores, portal, gateway, workers, demo. Ctrl-C stops it; the data stays."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        plan.add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        if status := up.run(argparse.Namespace(**options)):
            raise SystemExit(status)
