"""Run the gateway's processes. manage.py runs it before Django is set up; this makes `manage.py help` know it."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.local import gateway


class Command(BaseCommand):
    help = "Run the gateway: a master and N processes that answer calls. Run `python -m gateway.shipper` beside it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        gateway.add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        if status := gateway.run(argparse.Namespace(**options)):
            raise SystemExit(status)
