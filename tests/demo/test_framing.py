"""The strict reader: what is well-formed, and everything smugglers try."""

import pytest

from demo.framing import Bad, parse_chunk_size, parse_head

GOOD = [
    ([b"GET / HTTP/1.1", b"Host: a"], ("GET", "/", 0, True)),
    ([b"POST /%2F//x?q=1 HTTP/1.1", b"Host: a", b"Content-Length: 12"], ("POST", "/%2F//x?q=1", 12, True)),
    ([b"POST / HTTP/1.1", b"hOsT:a", b"Transfer-Encoding: chunked"], ("POST", "/", None, True)),
    ([b"GET / HTTP/1.1", b"Host: a", b"Connection: x, Close"], ("GET", "/", 0, False)),
    ([b"GET / HTTP/1.0"], ("GET", "/", 0, False)),
    ([b"GET / HTTP/1.0", b"Connection: keep-alive"], ("GET", "/", 0, True)),
    ([b"GET http://a/b HTTP/1.1", b"Host: a"], ("GET", "http://a/b", 0, True)),
]

BAD = [
    ([b"GET /"], "request line"),
    ([b"GET  / HTTP/1.1", b"Host: a"], "request line"),
    ([b"GET /\xc3\xa9 HTTP/1.1", b"Host: a"], "request line"),
    ([b"G(T / HTTP/1.1", b"Host: a"], "request line"),
    ([b"GET / HTTP/2.0", b"Host: a"], "version"),
    ([b"GET / HTTP/1.1"], "Host"),
    ([b"GET / HTTP/1.1", b"Host: a", b"Host: a"], "Host"),
    ([b"GET / HTTP/1.1", b"Host : a"], "field name"),
    ([b"GET / HTTP/1.1", b"Host: a", b" folded"], "field name"),
    ([b"GET / HTTP/1.1", b"Host: a", b": x"], "field name"),
    ([b"GET / HTTP/1.1", b"Host: a", b"X: a\0b"], "control"),
    ([b"GET / HTTP/1.1", b"Host: a", b"X: a\rb"], "control"),
    ([b"POST / HTTP/1.1", b"Host: a", b"Content-Length: 1", b"Content-Length: 1"], "Content-Length"),
    ([b"POST / HTTP/1.1", b"Host: a", b"Content-Length: +5"], "Content-Length"),
    ([b"POST / HTTP/1.1", b"Host: a", b"Content-Length: 00"], "Content-Length"),
    ([b"POST / HTTP/1.1", b"Host: a", b"Content-Length: 010"], "Content-Length"),
    ([b"POST / HTTP/1.1", b"Host: a", b"Content-Length: 1, 1"], "Content-Length"),
    ([b"POST / HTTP/1.1", b"Host: a", b"Content-Length: 1", b"Transfer-Encoding: chunked"], "Transfer-Encoding"),
    ([b"POST / HTTP/1.1", b"Host: a", b"Transfer-Encoding: gzip, chunked"], "Transfer-Encoding"),
    ([b"POST / HTTP/1.1", b"Host: a", b"Transfer-Encoding: Chunked"], "Transfer-Encoding"),
    ([b"POST / HTTP/1.0", b"Transfer-Encoding: chunked"], "Transfer-Encoding"),
]


@pytest.mark.parametrize(("lines", "expected"), GOOD)
def test_well_formed(lines: list[bytes], expected: tuple[str, str, int | None, bool]) -> None:
    head = parse_head(lines)
    assert (head.method, head.target, head.length, head.keep_alive) == expected


@pytest.mark.parametrize(("lines", "reason"), BAD)
def test_bad(lines: list[bytes], reason: str) -> None:
    with pytest.raises(Bad, match=reason):
        parse_head(lines)


def test_order_and_case_of_fields_stay() -> None:
    head = parse_head([b"GET / HTTP/1.1", b"x-B: 2", b"HOST: a", b"X-a:  1 ", b"x-b: 3"])
    assert head.headers == (("x-B", "2"), ("HOST", "a"), ("X-a", "1"), ("x-b", "3"))
    assert head.values("x-b") == ["2", "3"]


@pytest.mark.parametrize(("line", "size"), [(b"0", 0), (b"a", 10), (b"00FF", 255)])
def test_chunk_size(line: bytes, size: int) -> None:
    assert parse_chunk_size(line) == size


@pytest.mark.parametrize("line", [b"", b" a", b"a ", b"0x10", b"-1", b"5;x=y", b"g", b"123456789"])
def test_bad_chunk_size(line: bytes) -> None:
    with pytest.raises(Bad):
        parse_chunk_size(line)
