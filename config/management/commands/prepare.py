"""Bring database, static files, the demo and the gateway's directory up to this release; safe to run again.

`manage.py up` runs it at each start; a deployment of one's own runs it after each update.
"""

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from demo import people
from gateway import public as gateway
from marketplace import public as marketplace
from usage import public as usage

REQUIREMENTS = settings.BASE_DIR / "requirements.txt"


class Command(BaseCommand):
    help = (
        "Migrate, collect the static files, seed the demo (if there is one), fill the directory: what is not done yet."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=1)
        collect_static()
        if settings.DEMO:
            call_command("seed_demo")
        if not gateway.directory_present(settings.GATEWAY):
            marketplace.publish_everything()
        for org in people.organizations() if settings.DEMO else ():
            usage.ensure_counters(org)  # after a restart a first call would otherwise have to wait for them


def collect_static() -> None:
    """Collect and compress the static files, unless they are those of last time."""
    collected = Path(settings.STATIC_ROOT)
    stamp = collected.with_name("static.sha256")
    wanted = fingerprint(settings.STATICFILES_DIRS)
    if not collected.exists() or not stamp.exists() or stamp.read_text() != wanted:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        stamp.write_text(wanted)


def fingerprint(folders: list[Path]) -> str:
    """A digest of our own static files and of the packages that bring theirs."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes())
    for folder in folders:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{file.relative_to(folder)}\n".encode() + file.read_bytes())
    return digest.hexdigest()
