"""Six token colours for eight languages and JSON, on the server: enough to read by, in a page of code.

Each grammar is one regular expression whose named groups are the colours: s string, k keyword, n number,
c comment, w name of a call or member, v variable. What matches nothing stays plain. All text is escaped.
"""

import re
from functools import cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

DOUBLE = r'"(?:[^"\\\n]|\\.)*"'
SINGLE = r"'(?:[^'\\]|\\.)*'"
NUMBER = r"\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b"


def _grammar(*, strings: str, keywords: str = "", comments: str = "", extra: str = "") -> re.Pattern[str]:
    parts = [f"(?P<c>{comments})" if comments else "", f"(?P<s>{strings})"]
    parts += [rf"(?P<k>\b(?:{keywords})\b)" if keywords else "", f"(?P<n>{NUMBER})", extra]
    return re.compile("|".join(part for part in parts if part), re.ASCII)


GRAMMARS = {
    "json": re.compile(
        rf"(?P<w>{DOUBLE})(?=\s*:)|(?P<s>{DOUBLE})|(?P<n>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<k>\b(?:true|false|null)\b)"
    ),
    "shell": re.compile(
        r"(?P<s>(?:'[^']*')(?:\\''[^']*')*|" + DOUBLE + r")|(?P<k>\bcurl\b)|(?P<v>(?<=\s)-{1,2}[\w-]+)"
    ),
    "python": _grammar(
        strings=DOUBLE, keywords="from|import|with|as|print", comments=r"#[^\n]*", extra=r"(?P<w>\b\w+(?=\())"
    ),
    "javascript": _grammar(
        strings=DOUBLE, keywords="const|await|new", comments=r"//[^\n]*", extra=r"(?P<w>\b\w+(?=\())"
    ),
    "go": _grammar(
        strings=DOUBLE,
        keywords="package|import|func|if|defer|nil|panic",
        comments=r"//[^\n]*",
        extra=r"(?P<w>\b\w+(?=\())",
    ),
    "java": _grammar(
        strings=DOUBLE,
        keywords="import|public|class|static|void|throws|var|new",
        comments=r"//[^\n]*",
        extra=r"(?P<w>\b\w+(?=\())",
    ),
    "php": _grammar(
        strings=f"{SINGLE}|{DOUBLE}",
        keywords="echo|true",
        comments=r"//[^\n]*|<\?php",
        extra=r"(?P<v>\$\w+)|(?P<w>\b\w+(?=\())",
    ),
    "ruby": _grammar(strings=f"{SINGLE}|{DOUBLE}", keywords="require|puts|do|end", extra=r"(?P<w>\b[A-Z]\w*)"),
    "csharp": _grammar(
        strings=r"\$?" + DOUBLE, keywords="using|var|new|await|int", comments=r"//[^\n]*", extra=r"(?P<w>\b\w+(?=\())"
    ),
}

LINED_FROM = 8


@cache
def _known(grammar: str) -> re.Pattern[str] | None:
    return GRAMMARS.get(grammar)


def highlighted(code: str, grammar: str = "") -> SafeString:
    """Escape and colour; from eight lines on the style sheet numbers them. An unknown grammar stays plain."""
    pattern = _known(grammar)
    html = _coloured(code, pattern) if pattern else escape(code)
    if html.count("\n") + 1 < LINED_FROM:
        return mark_safe(html)  # noqa: S308  every piece went through escape()
    return mark_safe('<span class="lined">' + "".join(_lines(html)) + "</span>")  # noqa: S308


def _coloured(code: str, pattern: re.Pattern[str]) -> str:
    out: list[str] = []
    end = 0
    for match in pattern.finditer(code):
        out.append(escape(code[end : match.start()]))
        # A token over several lines is closed and opened again, so that every line is whole by itself.
        pieces = escape(match[0]).split("\n")
        out.append("\n".join(f'<span class="t-{match.lastgroup}">{piece}</span>' for piece in pieces))
        end = match.end()
    out.append(escape(code[end:]))
    return "".join(out)


def _lines(html: str) -> list[str]:
    lines = html.split("\n")
    return [f'<span class="ln">{line}\n</span>' for line in lines[:-1]] + [f'<span class="ln">{lines[-1]}</span>']
