"""World as a WSGI application. Under /test it serves the same again: the upstream of test keys."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, is_dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from demo.world import views
from demo.world.views import Problem

TEST_PREFIX = "/test"
ROUTES: tuple[tuple[re.Pattern[str], Callable[..., Any]], ...] = (
    (re.compile(r"/v1/countries"), views.list_countries),
    (re.compile(r"/v1/countries/(?P<code>[^/]+)"), views.get_country),
    (re.compile(r"/v1/currencies"), views.list_currencies),
    (re.compile(r"/v1/currencies/(?P<code>[^/]+)"), views.get_currency),
    (re.compile(r"/v1/timezones"), views.list_timezones),
    (re.compile(r"/v1/timezones/(?P<area>[^/]+)/(?P<city>[^/]+)"), views.get_timezone),
    (re.compile(r"/v1/timezones/(?P<area>[^/]+)/(?P<region>[^/]+)/(?P<city>[^/]+)"), views.get_timezone),
    (re.compile(r"/v1/convert/time"), views.convert_time),
    (re.compile(r"/v1/convert/units"), views.convert_units),
)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path: str = environ.get("PATH_INFO", "")  # decoded by the server
    environment = "test" if path.startswith(f"{TEST_PREFIX}/") else "live"
    try:
        status, body, headers = 200, answer(environ, path.removeprefix(TEST_PREFIX)), [("Cache-Control", "max-age=60")]
        media_type = "application/json"
    except Problem as problem:
        status, body, headers = problem.status, problem.body(), problem.headers()
        media_type = "application/problem+json"
    content = json.dumps(plain(body), ensure_ascii=False).encode()
    headers += [
        ("Content-Type", media_type),
        ("Content-Length", str(len(content))),
        ("X-World-Environment", environment),
    ]
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else content]


def answer(environ: dict[str, Any], path: str) -> Any:
    """Find the view of a path and call it with the path's and the query's parameters. Raises Problem."""
    for pattern, view in ROUTES:
        if match := pattern.fullmatch(path):
            if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
                raise Problem(405, "World is read-only: use GET.", allow="GET, HEAD")
            return view(views.Parameters(match.groupdict(), query(environ)))
    raise Problem(404, f"There is nothing at {path}.")


def query(environ: dict[str, Any]) -> dict[str, str]:
    """The query's parameters, each once. Raises Problem."""
    found = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    for name, values in found.items():
        if len(values) > 1:
            raise Problem(400, "This parameter may stand once.", parameter=name)
    return {name: values[0] for name, values in found.items()}


def plain(value: Any) -> Any:
    """Dataclasses as the objects JSON knows."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
