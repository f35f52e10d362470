"""Mail without a mail server: written whole and private, shown only where it harms nobody."""

from pathlib import Path

import pytest
from django.core.mail import EmailMessage, get_connection
from django.test import Client
from pytest_django.fixtures import Settings

from demo.mail import letters

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.EMAIL_URL, settings.PORTAL_URL, settings.DEMO = "", "http://127.0.0.1:8000", True
    return tmp_path / "mail"


def send(subject: str, text: str = "Hello") -> None:
    mail = EmailMessage(subject, text, "a@tollgate.example", ["b@tollgate.example"])
    get_connection("config.mail.FolderBackend").send_messages([mail])


def test_one_private_file_for_each_message(folder: Path) -> None:
    send("Grüezi")
    send("Bonjour")
    assert [letter.subject for letter in letters(folder)] == ["Bonjour", "Grüezi"]
    assert {path.suffix for path in folder.iterdir()} == {".eml"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_the_page_shows_them_escaped_with_links(client: Client) -> None:
    send("<script>alert(1)</script>", "Verify: http://127.0.0.1:8000/verify/abc/\n<b>bold</b>")
    page = client.get("/demo/mail/").content.decode()
    assert "<script>alert" not in page
    assert "<b>bold" not in page
    assert '<a href="http://127.0.0.1:8000/verify/abc/"' in page


@pytest.mark.parametrize(
    ("name", "value"),
    [("DEMO", False), ("EMAIL_URL", "smtp://mail.example"), ("PORTAL_URL", "https://portal.example")],
)
def test_there_is_no_page_where_it_would_harm(settings: Settings, client: Client, name: str, value: object) -> None:
    setattr(settings, name, value)
    assert client.get("/demo/mail/").status_code == 404
