"""Which heads can be framed in one way only."""

import pytest

from gateway.call import Refusal
from gateway.framing import framed
from tests.gateway.playbook import a_call

HOST = ("host", "a")


@pytest.mark.parametrize(
    "headers",
    [
        [HOST],
        [HOST, ("content-length", "0")],
        [HOST, ("content-length", "123456789")],
        [HOST, ("transfer-encoding", "chunked")],
        [HOST, ("transfer-encoding", "Chunked")],
    ],
)
def test_plain_heads_pass(headers):
    framed(a_call(headers=headers))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [HOST, HOST],
        [HOST, ("content-length", "5"), ("transfer-encoding", "chunked")],
        [HOST, ("content-length", "5"), ("content-length", "5")],
        [HOST, ("content-length", "5, 5")],
        [HOST, ("content-length", "")],
        [HOST, ("content-length", "00")],
        [HOST, ("content-length", "010")],
        [HOST, ("content-length", "+5")],
        [HOST, ("content-length", "-5")],
        [HOST, ("content-length", "0x5")],
        [HOST, ("content-length", "٥")],
        [HOST, ("content-length", "9" * 19)],
        [HOST, ("transfer-encoding", "gzip, chunked")],
        [HOST, ("transfer-encoding", ",chunked")],
        [HOST, ("transfer-encoding", "chunked, chunked")],
        [HOST, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        [HOST, ("transfer-encoding", "identity")],
        [HOST, ("transfer-encoding", "xchunked")],
    ],
)
def test_doubtful_heads_are_refused_and_the_connection_closed(headers):
    with pytest.raises(Refusal) as refusal:
        framed(a_call(headers=headers))
    assert (refusal.value.code, refusal.value.headers) == ("bad_request", (("connection", "close"),))


def test_the_portals_own_calls_have_no_host_of_a_client():
    framed(a_call(headers=[], console=True))
