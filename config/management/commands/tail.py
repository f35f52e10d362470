"""Show calls as they end, from the journals of this machine."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway.journal_tail import Tail, rendered

PAUSE_S = 0.2


class Command(BaseCommand):
    help = "Show the calls in this machine's journals as an access log. What is counted and deleted is not in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("-n", "--lines", type=int, default=20, help="how many of the last calls to begin with")
        parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")

    def handle(self, *, lines: int, follow: bool, **_options: Any) -> None:
        folder = settings.GATEWAY.journal_dir
        if not folder.is_dir():
            raise CommandError(f"There is no journal at {folder}: start the gateway first.")
        tail = Tail(folder)
        found = tail.lines()
        self._show(found[max(0, len(found) - lines) :])
        while follow:
            try:
                time.sleep(PAUSE_S)
            except KeyboardInterrupt:
                return
            self._show(tail.lines())

    def _show(self, found: list[Any]) -> None:
        for line in found:
            self.stdout.write(rendered(line))
