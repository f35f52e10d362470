"""The DRF door as a WSGI application. Serve `gateway.proxy.asgi`, which shows it more of each request."""

import os
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse

os.environ["DJANGO_SETTINGS_MODULE"] = "config.gateway_settings"
_handler = get_wsgi_application()


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Return a list when the answer is whole, so that a server sends it in one piece."""
    response: Any = _handler(environ, start_response)
    if not isinstance(response, HttpResponse):
        streamed: Iterable[bytes] = response
        return streamed
    response.close()
    return [response.content]
