"""Path templates: which are allowed, what their parameters are, and which two would mean the same call."""

import re

_PARAMETER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,79}\*?")
_LITERAL = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%-]*")
LONGEST = 300


def why_bad(path: str) -> str:
    """What is wrong with a template, as a sentence; "" if nothing is."""
    if not path.startswith("/") or "//" in path:
        return "A path starts with one slash and has no empty segment."
    if len(path) > LONGEST:
        return f"A path has at most {LONGEST} characters."
    names = _PARAMETER.findall(path)
    if len(set(names)) < len(names):
        return "A parameter stands twice in this path."
    for segment in path[1:].split("/"):
        if why := _why_bad_segment(segment, last=path.endswith(segment)):
            return why
    return ""


def parameters(path: str) -> list[str]:
    """Names of its parameters, in order; a tail's without its star."""
    return [name.removesuffix("*") for name in _PARAMETER.findall(path)]


def shape(path: str) -> str:
    """Equal for two templates that match the same paths: names of parameters do not count."""
    return _PARAMETER.sub(lambda match: "{*}" if match[1].endswith("*") else "{}", path)


def _why_bad_segment(segment: str, *, last: bool) -> str:
    if segment in (".", ".."):
        return "A path has no dot segments."
    if not _LITERAL.fullmatch(_PARAMETER.sub("", segment)):
        return "A path holds a character that a URL path cannot hold, or a brace that is not closed."
    for name in _PARAMETER.findall(segment):
        if not _NAME.fullmatch(name):
            return f"{{{name[:40]}}} is not a parameter's name."
        if name.endswith("*") and (not last or segment != f"{{{name}}}"):
            return f"{{{name[:40]}}} takes all the rest, so it must be the last segment."
    return ""
