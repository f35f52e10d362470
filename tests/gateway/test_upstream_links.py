"""Connections to upstreams: kept, retried, pinned to checked addresses, and verified by name."""

import datetime
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.upstream import CALLS_MAX, RequestBody, Upstreams
from kit.ssrf import Guard
from tests.gateway.fault_upstream import FaultUpstream, reply, then_hang_up
from tests.gateway.upstream_calls import exchange, forward, get, refused


@pytest.fixture
def upstream():
    with FaultUpstream() as server:
        yield server


@pytest.fixture
def upstreams(upstream):
    upstreams = Upstreams(frozenset({upstream.place}))
    yield upstreams
    upstreams.close()


# --- kept connections ---


def hangs_up_after_first(upstream):
    """Answers once per connection and closes at the second request without a byte."""
    seen = set()

    def answer(connection, _):
        if connection in seen:
            raise ConnectionAbortedError
        seen.add(connection)
        connection.sendall(reply())

    upstream.answers["/"] = answer


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_a_dead_kept_connection_is_retried_once_when_that_is_safe(upstream, upstreams, method):
    hangs_up_after_first(upstream)
    assert get(upstreams, forward(upstream))[0].status == 200
    assert get(upstreams, forward(upstream, method=method))[0].status == 200
    assert (len(upstream.requests), upstream.connections) == (3, 2)


def test_what_is_not_safe_is_sent_once(upstream, upstreams):
    hangs_up_after_first(upstream)
    get(upstreams, forward(upstream))
    code, _ = refused(upstreams, forward(upstream, method="POST"), RequestBody(1, iter([b"x"])))
    assert (code, len(upstream.requests)) == ("upstream_unreachable", 2)


def test_a_new_connection_that_dies_is_not_retried(upstream, upstreams):
    upstream.answers["/"] = then_hang_up(b"")
    assert refused(upstreams, forward(upstream))[0] == "upstream_unreachable"
    assert len(upstream.requests) == 1


def test_kept_connections_are_fresh_for_posts_and_replaced_when_old(upstream):
    now = [1000.0]
    upstreams = Upstreams(frozenset({upstream.place}), clock=lambda: now[0])
    for seconds, method, connections in [
        (0, "GET", 1),
        (0.5, "POST", 1),
        (1.5, "GET", 1),
        (1.5, "POST", 2),
        (70, "GET", 3),
    ]:
        now[0] += seconds
        get(upstreams, forward(upstream, method=method))
        assert upstream.connections == connections, (seconds, method)
    for _ in range(6):
        now[0] += 55
        get(upstreams, forward(upstream))
    assert upstream.connections == 4, "no connection gets older than five minutes"
    upstreams.close()


def test_connections_are_not_shared_between_upstreams(upstream, upstreams):
    get(upstreams, forward(upstream))
    get(upstreams, forward(upstream, id="another"))
    assert upstream.connections == 2


# --- where it may connect to ---


@pytest.mark.parametrize(
    "base_url",
    [
        "http://127.0.0.1:1",
        "http://169.254.169.254",
        "http://[::1]:80",
        "http://[::ffff:127.0.0.1]:80",
        "http://localhost:1",
        "http://2130706433/",
        "file:///etc/passwd",
        "http://user@127.0.0.1",
    ],
)
def test_nothing_inside_is_connected_to(upstream, upstreams, base_url):
    assert refused(upstreams, forward(upstream, base_url=base_url))[0] in ("upstream_forbidden", "upstream_unreachable")


def test_the_checked_address_is_connected_to_with_the_name_in_host(upstream):
    port = upstream.place.split(":")[1]
    guard = Guard({f"api.example:{port}"}, resolve=lambda host, port: ["127.0.0.1"])
    upstreams = Upstreams(frozenset(), guard=guard)
    get(upstreams, forward(upstream, base_url=f"http://api.example:{port}"))
    assert upstream.requests[0].header("host") == f"api.example:{port}"
    upstreams.close()


def test_the_next_address_is_tried_when_one_does_not_answer(upstream):
    port = upstream.place.split(":")[1]
    guard = Guard({f"api.example:{port}"}, resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"])
    upstreams = Upstreams(frozenset(), guard=guard)
    assert get(upstreams, forward(upstream, base_url=f"http://api.example:{port}"))[0].status == 200
    upstreams.close()


def test_one_slow_upstream_cannot_take_every_thread(upstream, upstreams):
    waiting = [exchange(upstreams, forward(upstream)) for _ in range(CALLS_MAX)]
    for started in waiting:
        started.start()
    code, _ = refused(upstreams, forward(upstream))
    assert code == "upstream_busy"
    assert get(upstreams, forward(upstream, id="another"))[0].status == 200
    for started in waiting:
        started.close()
    assert get(upstreams, forward(upstream))[0].status == 200


# --- TLS ---


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for api.example, as (certificate and key in one file)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("api.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.mark.parametrize(("name", "trusted"), [("api.example", True), ("other.example", False)])
def test_tls_is_checked_against_the_name(certificate, name, trusted):
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    with FaultUpstream(context=serving) as upstream:
        port = upstream.place.split(":")[1]
        guard = Guard({f"{name}:{port}"}, resolve=lambda host, port: ["127.0.0.1"])
        upstreams = Upstreams(frozenset(), guard=guard, context=ssl.create_default_context(cafile=str(certificate)))
        request = forward(upstream, method="POST", base_url=f"https://{name}:{port}")
        for _ in range(2 if trusted else 0):
            body = RequestBody(300_000, iter([b"x" * 100_000] * 3))
            assert get(upstreams, request, body)[1] == b"ok"
        if trusted:
            assert [len(seen.body) for seen in upstream.requests] == [300_000] * 2
            assert upstream.connections == 1
        else:
            code, started = refused(upstreams, request)
            assert (code, started.accepted) == ("upstream_unreachable", False)
        upstreams.close()
