"""Samples: whatever stands in a request, the text in the reader's shell or compiler says exactly that request."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from portal.docs.highlight import GRAMMARS, highlighted
from portal.docs.outgoing import Outgoing
from portal.docs.samples import LANGUAGES, curl, python, samples
from portal.docs.samples.values import Sampled, c_string, python_string, sampled, single_quoted

HOSTILE = [
    "plain",
    "it's",
    'say "hi"',
    "$(touch pwned) `touch pwned` ${HOME} !! \\",
    "'; touch pwned; '",
    '"; import os; os.system("touch pwned"); "',
    "a\\'b\\\\",
    "line one\nline two\ttab",
    "ümläut 日本 😀 \u2028",
    "#{puts 1} %{x} {y} {{z}} #$x",
    "-X DELETE",
    "@/etc/hostname",
    "*/ // /* <!-- --> <?php ?>",
    "\\u0022); evil(\\u0022",
]


def request(value: str) -> Sampled:
    return Sampled("POST", "http://127.0.0.1:1/world/v1/x?q=%27", (("X-API-Key", "tg_test_x"), ("X-Note", "n")), value)


@pytest.mark.parametrize("value", HOSTILE)
def test_the_shell_reads_what_was_meant(value, tmp_path):
    """A stand-in for curl prints the words it was given; nothing else happens in the folder."""
    stand_in = tmp_path / "bin" / "curl"
    stand_in.parent.mkdir()
    stand_in.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    stand_in.chmod(0o755)
    shown = curl.render(request(value))
    env = os.environ | {"PATH": f"{stand_in.parent}:/usr/bin:/bin"}
    done = subprocess.run(["/bin/sh", "-c", shown], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    words = json.loads(done.stdout)
    assert words == [
        "-g",
        "-X",
        "POST",
        request("").url,
        "-H",
        "X-API-Key: tg_test_x",
        "-H",
        "X-Note: n",
        "--data-raw",
        value,
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


class Noting(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.server.noted.append((self.path, dict(self.headers), body.decode()))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"fine")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def noting():
    server = HTTPServer(("127.0.0.1", 0), Noting)
    server.noted = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("value", HOSTILE)
def test_python_sends_what_was_meant(value, noting, tmp_path):
    outgoing = Outgoing("POST", "/world/v1/x", "q=%27", (("X-Note", "it's"), ("Content-Type", "text/plain")), value)
    shown = python.render(sampled(outgoing, gateway=f"http://127.0.0.1:{noting.server_port}", key="tg_test_x"))
    done = subprocess.run([sys.executable, "-c", shown], cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert done.stdout.strip() == "200 fine", done.stderr
    path, headers, body = noting.noted[-1]
    assert (path, body) == ("/world/v1/x?q=%27", value)
    assert (headers["X-Api-Key"], headers["X-Note"], headers["Content-Type"]) == ("tg_test_x", "it's", "text/plain")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", HOSTILE)
def test_literals_hold_any_text(value):
    assert json.loads(c_string(value)) == value
    assert c_string(value).isascii() and "\n" not in c_string(value)
    assert eval(python_string(value)) == value
    quoted = single_quoted(value)
    assert re.fullmatch(r"'(?:[^'\\]|\\.)*'", quoted, re.DOTALL)
    assert quoted[1:-1].replace("\\'", "'").replace("\\\\", "\\") == value


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.slug)
def test_every_language_says_the_whole_request(language):
    shown = language.render(request("body text"))
    for part in ("http://127.0.0.1:1/world/v1/x?q=", "X-API-Key", "tg_test_x", "X-Note", "body text"):
        assert part in shown
    assert "POST" in shown or "Post" in shown
    assert "body text" not in language.render(request(""))
    assert language.grammar in GRAMMARS


@pytest.mark.parametrize("value", HOSTILE)
def test_highlighting_changes_no_character(value):
    for sample in samples(Outgoing("POST", "/x", "", (), value), gateway="http://127.0.0.1", key="k"):
        plain = re.sub(r"</?span[^>]*>", "", sample.code)
        for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
            plain = plain.replace(entity, char)
        assert plain == sample.language.render(
            sampled(Outgoing("POST", "/x", "", (), value), gateway="http://127.0.0.1", key="k")
        )
        assert not re.search(r"<(?!/?span)", sample.code)


def test_a_read_is_a_short_curl():
    shown = curl.render(
        sampled(Outgoing("GET", "/world/v1/countries/DE", "", (), ""), gateway="http://g", key="tg_test_x")
    )
    assert shown == "curl -g 'http://g/world/v1/countries/DE' \\\n  -H 'X-API-Key: tg_test_x'"
    head = Outgoing("HEAD", "/x", "", (), "")
    assert "--head" in curl.render(sampled(head, gateway="http://g", key="k"))


def test_one_file_per_language():
    folder = Path(curl.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__", "values"} == {row.slug for row in LANGUAGES}


def test_unknown_grammars_stay_plain():
    assert highlighted("<b>") == "&lt;b&gt;"
    assert highlighted("a\n" * 7 + "b").count('class="ln"') == 8
