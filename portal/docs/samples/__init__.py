"""Code samples: one file per language, one line here.

Every value of a request may come from a link that somebody else wrote, and the reader pastes the result into
a shell: each language's literal must hold any text.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.safestring import SafeString

from portal.docs.highlight import highlighted
from portal.docs.outgoing import Outgoing
from portal.docs.samples import csharp, curl, go, java, javascript, php, python, ruby
from portal.docs.samples.values import Sampled, sampled


@dataclass(frozen=True)
class Language:
    slug: str
    name: str
    grammar: str  # of portal.docs.highlight
    render: Callable[[Sampled], str]


@dataclass(frozen=True)
class Sample:
    language: Language
    code: SafeString  # highlighted


LANGUAGES = (
    Language("curl", "curl", "shell", curl.render),
    Language("python", "Python", "python", python.render),
    Language("javascript", "JavaScript / TS", "javascript", javascript.render),
    Language("go", "Go", "go", go.render),
    Language("java", "Java", "java", java.render),
    Language("php", "PHP", "php", php.render),
    Language("ruby", "Ruby", "ruby", ruby.render),
    Language("csharp", "C#", "csharp", csharp.render),
)


def samples(request: Outgoing, *, gateway: str, key: str) -> tuple[Sample, ...]:
    """The request in every language, highlighted, with the reader's key in it."""
    shown = sampled(request, gateway=gateway, key=key)
    return tuple(Sample(language, highlighted(language.render(shown), language.grammar)) for language in LANGUAGES)
