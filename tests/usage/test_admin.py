"""The operators' pages of usage open, and let nobody write."""

import pytest
from django.urls import reverse

from accounts.models import User
from tests.usage.journal import NOW, ago, beat, line, message
from usage.intake import store
from usage.lines import read_message
from usage.models import DeadLetter, Producer, Quarantine, UsageBill, UsageHour

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator(client, settings):
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing is collected for tests
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    client.force_login(User.objects.create_superuser("root@example.com", "a long password", name="Root"))
    return client


@pytest.mark.parametrize("model", [Producer, DeadLetter, Quarantine, UsageBill, UsageHour])
def test_pages_open_and_refuse_changes(operator, model):
    store(read_message(message([beat(0), line(1), line(2, at=ago(days=40)), b"\xff{"])), at=NOW)
    row = model.objects.get() if model is not UsageHour else model.objects.first()
    name = f"admin:usage_{model._meta.model_name}"
    assert operator.get(reverse(f"{name}_changelist")).status_code == 200
    page = reverse(f"{name}_change", args=[row.pk])
    assert operator.get(page).status_code == 200
    assert operator.post(page, {}).status_code == 403
    assert operator.get(reverse(f"{name}_add")).status_code == 403
    assert operator.post(reverse(f"{name}_delete", args=[row.pk])).status_code == 403
