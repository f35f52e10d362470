"""Where mail goes when no mail server is set: one .eml file per message in {home}/mail, for its owner only."""

import os
import time
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage as Mail
from django.core.mail.backends.base import BaseEmailBackend


class FolderBackend(BaseEmailBackend):
    """Messages sort by name as they were sent."""

    def send_messages(self, email_messages: Sequence[Mail]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for mail in email_messages:
            message: EmailMessage = mail.message()
            path = folder / f"{time.time_ns()}-{os.getpid()}.eml"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(message.as_bytes())
        return len(email_messages)
