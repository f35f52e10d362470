"""What import-linter cannot see: foreign keys, dotted paths in the settings, migrations, the environment."""

import importlib
import io
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db.models import Field
from django.utils.module_loading import import_string

from config.celery import app as celery_app
from tests.house.tree import APPS, ROOT, floor_of, python_files, shown


def app_of(model: Any) -> str:
    return str(model.__module__.split(".")[0])


def relations() -> list[tuple[str, "Field[Any, Any]", str]]:
    """Every foreign key of ours: (its app, itself, the app it points to)."""
    found = []
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if app_of(model) in APPS and isinstance(field, Field) and field.is_relation and field.related_model:
                found.append((app_of(model), field, app_of(field.related_model)))
    return found


def test_foreign_keys_point_down() -> None:
    wrong = [
        f"{source} -> {target}: {field}"
        for source, field, target in relations()
        if target in APPS and source != target and floor_of(source) >= floor_of(target)
    ]
    assert not wrong
    assert relations()


def test_usage_has_no_foreign_key() -> None:
    """Ids only, so that usage can move to a store of its own."""
    assert not [field for source, field, _ in relations() if source == "usage"]


DOTTED = re.compile(rf"(?:{'|'.join(APPS)})(?:\.[A-Za-z_]\w*)+")


def dotted_paths(value: Any) -> Iterator[str]:
    """Every string in a settings value that names something of ours."""
    if isinstance(value, str):
        if DOTTED.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from dotted_paths(list(pair))
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from dotted_paths(item)


NAMED = sorted({path for name in dir(settings) if name.isupper() for path in dotted_paths(getattr(settings, name))})


@pytest.mark.parametrize("path", [path for path in NAMED if path != "accounts.User"])
def test_what_the_settings_name_exists(path: str) -> None:
    try:
        importlib.import_module(path)
    except ModuleNotFoundError:
        import_string(path)


def test_the_settings_name_something() -> None:
    assert "config.urls" in NAMED
    assert len(NAMED) > 5


@pytest.mark.parametrize("entry", celery_app.conf.beat_schedule.values(), ids=list(celery_app.conf.beat_schedule))
def test_what_beat_sends_is_a_task(entry: dict[str, Any]) -> None:
    celery_app.loader.import_default_modules()
    assert entry["task"] in celery_app.tasks


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    said = io.StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=said)
    except SystemExit:
        pytest.fail(said.getvalue())


READ = re.compile(r"""env\.\w+\(\s*"(\w+)"|secret\("(\w+)"\)|environ(?:\.get\(|\[)"(\w+)"|VARIABLE = "(\w+)\"""")
FOREIGN = {"DJANGO_SETTINGS_MODULE"}
WSGI = ("gateway/proxy/", "demo/world/")  # their environ is a request's


def test_every_variable_that_is_read_is_documented_and_no_other() -> None:
    read = {
        next(filter(None, match.groups()))
        for path in python_files()
        if not shown(path).startswith(WSGI)
        for match in READ.finditer(path.read_text())
    }
    documented = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    only_tests = {"CHROMIUM"}
    assert documented - only_tests == read - FOREIGN, shown(ROOT / ".env.example")


def test_each_test_process_has_stores_of_its_own() -> None:
    """Settings read before conftest started them would be another process's."""
    assert os.environ["REDIS_URL"] == settings.REDIS_URL
    assert str(settings.HOME) == os.environ["TOLLGATE_HOME"]
