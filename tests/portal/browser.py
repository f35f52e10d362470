"""A person at the portal, as far as the Django client goes: no script runs, so every flow here works without one."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client

PASSWORD = "correct horse battery"


def visitor(**defaults: Any) -> Client:
    return Client(enforce_csrf_checks=False, **defaults)


def sign_up(client: Client, email: str = "ada.lovelace@example.com", **more: str) -> HttpResponse:
    return client.post("/signup/", {"email": email, "password1": PASSWORD, **more})


def hx(target: str = "reply") -> dict[str, str]:
    return {"HX-Request": "true", "HX-Target": target}


@dataclass
class Page(HTMLParser):
    """What a test asks of a page's HTML."""

    html: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self.feed(self.html)

    def __hash__(self) -> int:
        return id(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        for outer in self._open:
            self.texts[outer][-1] += " "
        self._open.append(tag)
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in self._open:
            self.texts[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]

    def text(self, tag: str) -> str:
        return " ".join(" ".join(self.texts.get(tag, [])).split())

    def links(self) -> set[str]:
        """Internal addresses this page leads to, without fragments."""
        found = {str(attrs.get("href") or "") for attrs in self.all("a")}
        return {link.partition("#")[0] for link in found if link.startswith("/") and not link.startswith("//")}

    def values(self, name: str) -> list[str | None]:
        """The values of all inputs of that name, in the page's order."""
        return [attrs.get("value") for attrs in self.all("input") if attrs.get("name") == name]


def page(response: HttpResponse) -> Page:
    return Page(response.content.decode())


def links_in(text: str) -> list[str]:
    return re.findall(r"https?://[^\s]+", text)
