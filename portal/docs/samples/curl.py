"""curl in a POSIX shell."""

from portal.docs.samples.values import Sampled


def quoted(text: str) -> str:
    """One word of a POSIX shell, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def render(request: Sampled) -> str:
    # -g: brackets and braces in an address are its own.
    # --data-raw: a body may begin with @, which --data takes for a file to send.
    plain = request.method == "GET" and not request.body
    method = "" if plain else "--head " if request.method == "HEAD" else f"-X {request.method} "
    parts = [f"curl -g {method}{quoted(request.url)}"]
    parts += [f"-H {quoted(f'{name}: {value}')}" for name, value in request.headers]
    if request.body:
        parts.append(f"--data-raw {quoted(request.body)}")
    return " \\\n  ".join(parts)
