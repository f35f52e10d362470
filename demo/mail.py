"""The mail that was not sent: the demo shows what people would have received, newest first.

Anybody who sees this page could follow a password reset meant for somebody else, so it exists only where the
demo runs, mail goes to files, and the portal's own address is this machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

NEWEST = 50
LONGEST = 100_000
THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    sent_at: datetime | None
    text: str


@never_cache
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    if not is_shown():
        raise Http404
    return render(request, "demo/mail.html", {"letters": list(islice(letters(Path(settings.EMAIL_FILE_PATH)), NEWEST))})


def is_shown() -> bool:
    return settings.DEMO and not settings.EMAIL_URL and urlsplit(settings.PORTAL_URL).hostname in THIS_MACHINE


def letters(folder: Path) -> Iterator[Letter]:
    """The messages in a folder, newest first."""
    for path in sorted(folder.glob("*.eml"), reverse=True):
        message = message_from_bytes(path.read_bytes()[:LONGEST], policy=policy.default)
        assert isinstance(message, EmailMessage)
        body = message.get_body(("plain",))
        yield Letter(
            to=str(message["To"] or ""),
            subject=str(message["Subject"] or ""),
            sent_at=message["Date"].datetime if message["Date"] else None,
            text=body.get_content() if body else "",
        )
