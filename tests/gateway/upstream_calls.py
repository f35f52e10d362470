"""Exchanges with a scripted upstream, in one line each."""

import pytest

from gateway.call import Forward, Refusal, Target
from gateway.upstream import RequestBody


def forward(upstream, path="/", method="GET", headers=(), **target):
    fields = {"id": "up", "base_url": upstream.url} | target
    return Forward(Target(**fields), method, path, list(headers))


def exchange(upstreams, request, body=None):
    return upstreams.exchange(request, body or RequestBody())


def whole(exchange):
    data = b""
    while chunk := exchange.read():
        data += chunk
    exchange.close()
    return data


def get(upstreams, request, body=None):
    started = exchange(upstreams, request, body)
    head = started.start()
    return head, whole(started)


def refused(upstreams, request, body=None):
    started = exchange(upstreams, request, body)
    try:
        with pytest.raises(Refusal) as refusal:
            started.start()
    finally:
        started.close()
    return refusal.value.code, started
