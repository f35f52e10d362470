"""Forms of the key pages."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from django import forms

LIFETIMES = {"90": "90 days", "30": "30 days", "365": "1 year", "": "No expiry"}
OVERLAPS = (
    ("24h", "24 hours: both keys work until then"),
    ("1h", "1 hour"),
    ("7d", "7 days"),
    ("30d", "30 days"),
    ("now", "None: the old key stops at once"),
)


@dataclass(frozen=True)
class Scope:
    value: str
    label: str
    hint: str


class KeyForm(forms.Form):
    """A new key: a name is enough, the rest has defaults."""

    name = forms.CharField(label="Name", max_length=120, help_text="Where it will be used, such as “billing worker”.")
    kind = forms.ChoiceField(choices=[("live", "Live"), ("test", "Sandbox")], initial="live", label="Environment")
    scope = forms.ChoiceField(label="May call", initial="*")
    lifetime = forms.ChoiceField(
        label="Expires after",
        choices=list(LIFETIMES.items()),
        initial="90",
        required=False,
        help_text="Sandbox keys do not expire unless you choose so.",
    )
    allowed_ips = forms.CharField(
        label="Allowed addresses",
        required=False,
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One address or network per line, such as 203.0.113.7 or 2001:db8::/48. Empty: any.",
    )

    def __init__(self, data: Any = None, *, apis: Sequence[tuple[str, str]]) -> None:
        """`apis`: slug and name of each subscribed API."""
        super().__init__(data)
        self.scopes = [Scope("*", "Everything", "All operations of all APIs you subscribe to")]
        if apis:
            self.scopes.append(Scope("read", "Read only", "GET and HEAD, in all APIs you subscribe to now"))
            self.scopes += [Scope(slug, f"Only {name}", f"All operations of {name}") for slug, name in apis]
        self._slugs = [slug for slug, _ in apis]
        scope_field = cast(forms.ChoiceField, self.fields["scope"])
        scope_field.choices = [(scope.value, scope.label) for scope in self.scopes]

    def clean_allowed_ips(self) -> tuple[str, ...]:
        lines = [
            part.strip() for part in self.cleaned_data["allowed_ips"].replace(",", "\n").splitlines() if part.strip()
        ]
        return tuple(_network(line) for line in lines)

    def scope_list(self) -> tuple[str, ...]:
        chosen = self.cleaned_data["scope"]
        if chosen == "*":
            return ("*",)
        return tuple(f"{slug}:read" for slug in self._slugs) if chosen == "read" else (f"{chosen}:*",)

    def expires_at(self, at: datetime) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        if self.cleaned_data["kind"] == "test" and days == "90" and "lifetime" not in self.changed_data:
            return None
        return at + timedelta(days=int(days)) if days else None


class RollForm(forms.Form):
    overlap = forms.ChoiceField(label="Keep the old key working for", choices=OVERLAPS, initial="24h")

    def chosen(self) -> Literal["now", "1h", "24h", "7d", "30d"]:
        return self.cleaned_data["overlap"]


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise forms.ValidationError(f"{text} is not an address or network.") from error
