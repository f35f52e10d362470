"""One server with one worker: what its clients may do to it."""

import http.client
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from config.local.ports import LOOPBACK, free_port
from config.local.probes import status_of
from config.local.serve import allow_files

THREADS = 2
PROBE = "/v1/countries/NP"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "config.local.serve", "--port", str(port), "--threads", str(THREADS)]
    server = subprocess.Popen([*command, "demo.world.wsgi:application"], env=os.environ)
    give_up = time.monotonic() + 20
    while status_of(port, PROBE) != 200:
        assert time.monotonic() < give_up
        time.sleep(0.02)
    yield port
    server.terminate()
    assert server.wait(15) == 0


def test_idle_connections_keep_nobody_out(port: int) -> None:
    """A browser holds six of them for minutes."""
    idle = [http.client.HTTPConnection(LOOPBACK, port, timeout=5) for _ in range(300)]
    try:
        for link in idle:
            link.request("GET", PROBE)
            assert link.getresponse().read()
        assert status_of(port, PROBE) == 200
    finally:
        for link in idle:
            link.close()


def test_head_and_unknown_paths_are_the_applications(port: int) -> None:
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=5)) as link:
        link.request("HEAD", PROBE)
        assert link.getresponse().read() == b""
    assert status_of(port, "/nowhere") == 404


def test_more_files_may_be_open_than_the_usual() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = soft if hard == soft else min(soft + 1, hard)
    allow_files(wanted)
    try:
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == wanted
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
