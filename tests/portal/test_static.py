"""What browsers load: small, ours or vendored with its hash, and every reference found."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

STATIC = Path(settings.BASE_DIR) / "static"
CSS = (STATIC / "css" / "app.css").read_text()
TEMPLATES = [
    path
    for folder in ("portal", "account", "allauth")
    for path in (Path(settings.BASE_DIR) / "templates" / folder).rglob("*.html")
]
TOKENS = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{3,6}), (#[0-9a-f]{3,6})\)", CSS)


def test_vendored_files_are_what_the_manifest_says():
    listed = json.loads((STATIC / "vendor" / "MANIFEST.json").read_text())
    for row in listed:
        assert row["name"] and row["version"] and row["licence"] and row["source"]
        assert hashlib.sha256((STATIC / "vendor" / row["file"]).read_bytes()).hexdigest() == row["sha256"]
    found = {str(path.relative_to(STATIC / "vendor")) for path in (STATIC / "vendor").rglob("*") if path.is_file()}
    assert found == {row["file"] for row in listed} | {"MANIFEST.json"}


def test_htmx_is_the_file_of_its_package():
    import django_htmx

    package = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"
    row = json.loads((STATIC / "vendor" / "MANIFEST.json").read_text())[0]
    assert package.read_bytes() == (STATIC / "vendor" / row["file"]).read_bytes()
    assert f'version:"{row["version"]}"' in package.read_text()


def test_weights():
    assert len(gzip.compress((STATIC / "css" / "app.css").read_bytes())) <= 24_000
    assert len((STATIC / "js" / "app.js").read_bytes()) <= 8_000
    script = sum(
        len(gzip.compress(path.read_bytes())) for path in (STATIC / "js" / "app.js", STATIC / "vendor/htmx/htmx.min.js")
    )
    assert script <= 40_000


def test_layers_stand_in_their_order():
    assert "@layer reset, tokens, base, components, utilities;" in CSS
    assert re.findall(r"^@layer (\w+) \{", CSS, re.MULTILINE) == ["reset", "tokens", "base", "components", "utilities"]
    assert (
        "url(" not in CSS
        and "@import" not in CSS
        and "!important"
        not in re.sub(
            r"\[hidden\][^}]*|prefers-reduced-motion[^@]*|@media print[^@]*|padding: 5px 0 !important", "", CSS
        )
    )


def test_everything_a_template_names_is_there():
    named = {name for path in TEMPLATES for name in re.findall(r"{% static '([^']+)' %}", path.read_text())}
    assert named and not [name for name in named if finders.find(name) is None]
    icons = set(re.findall(r'<symbol id="(\w+)"', (STATIC / "img" / "icons.svg").read_text()))
    used = {name for path in TEMPLATES for name in re.findall(r'{% icon "(\w+)" %}', path.read_text())}
    assert used <= icons


def test_templates_hold_no_inline_code():
    for path in TEMPLATES:
        text = path.read_text()
        assert not re.search(r"\sstyle=|<style|\son\w+=|hx-on|\|safe\b|autoescape off|mark_safe", text), path
        assert "<script" not in text or re.findall(r"<script(?! src=)", text) == [], path


def test_every_class_a_template_uses_is_styled():
    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", CSS))
    used = set()
    for path in TEMPLATES:
        for value in re.findall(r'class="([^"]*)"', re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", path.read_text())):
            used |= {name for name in value.split() if not name.endswith("-")}
    unstyled = used - known - {"wrapper", "keypick", "oplinks"}
    assert not unstyled


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * char for char in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [1, 2], ids=["light", "dark"])
def test_contrast_of_the_tokens(theme):
    """WCAG 2.2: text 4.5, edges of inputs and bars 3, on every surface they stand on."""
    token = {row[0]: row[theme] for row in TOKENS}
    for text in ("text", "text-2", "text-3", "accent", "ok", "warn", "bad", "info", "s1", "s3", "s4"):
        for surface in ("bg", "surface", "sunk"):
            assert _contrast(token[text], token[surface]) >= 4.5, (text, surface)
    for name in ("ok", "warn", "bad", "info", "accent"):
        assert _contrast(token[name], token[f"{name}-weak"]) >= 4.5, name
    for edge in ("line-in", "s1", "s2", "s3", "s4", "s5", "s6"):
        assert _contrast(token[edge], token["bg"]) >= 3, edge
    assert _contrast(token["on-accent"], token["accent"]) >= 4.5
