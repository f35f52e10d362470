"""JSON in: hostile bodies are refused with a reason, and strict serializers take nothing they do not know."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

pytestmark = pytest.mark.urls("tests.kit.rest_views")


def post(client, path: str, body: bytes, content_type: str = "application/json"):
    response = client.post(path, body, content_type=content_type)
    return response.status_code, json.loads(response.content)


@pytest.mark.parametrize(
    "value", [{}, [], {"a": [1, 2.5, "ü😀", None, True]}, "text", 7, {"": 1}, [[[[["deep"]]]]], 10**29]
)
def test_json_is_taken(client, value):
    assert post(client, "/api/raw", json.dumps(value).encode()) == (200, value)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": 1,}', "not valid JSON"),
        (b'{"a": NaN}', "out of range"),
        (b'{"a": -Infinity}', "out of range"),
        (b'{"a": 1e999}', "out of range"),
        (b'{"a": ' + b"9" * 31 + b"}", "digits"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "digits"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": "\xff"}', "not valid JSON"),
        ('{"a": 1}'.encode("utf-16"), "not valid JSON"),
        ('\ufeff{"a": 1}'.encode(), "not valid JSON"),
        (b"[" * 33 + b"]" * 33, "deeper"),
        (b"[" * 100_000 + b"]" * 100_000, "deeper"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "deeper"),
        (b'"\x00"', "not valid JSON"),
    ],
    ids=str,
)
def test_what_is_not_json_is_a_bad_request(client, body, reason):
    status, problem = post(client, "/api/raw", body)
    assert (status, problem["code"]) == (400, "bad_request")
    assert reason in problem["detail"]


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (b'{"a": {"b": ["x", "\\u0000"]}}', "a.b.1", "Null"),
        (b'{"a": "\\ud800"}', "a", "surrogates"),
        (b'{"\\u0000": 1}', "", "Null"),
        (b'{"a": [{"\\udfff": 1}]}', "a.0", "surrogates"),
    ],
)
def test_text_that_no_database_keeps_is_invalid(client, body, field, reason):
    status, problem = post(client, "/api/raw", body)
    assert (status, problem["code"]) == (422, "invalid")
    assert problem["errors"][0]["field"] == field
    assert reason in problem["errors"][0]["message"]


def test_too_large_a_body_is_refused(client):
    assert post(client, "/api/raw", b'"' + b"a" * (1 << 20) + b'"')[1]["code"] == "body_too_large"
    assert post(client, "/api/small", b'"' + b"a" * 98 + b'"')[0] == 200
    assert post(client, "/api/small", b'"' + b"a" * 99 + b'"')[1]["code"] == "body_too_large"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "rubbish"],
)
def test_only_json_is_read(client, content_type):
    assert post(client, "/api/raw", b"a=1", content_type)[1]["code"] == "unsupported_media_type"


def test_json_with_parameters_is_json(client):
    assert post(client, "/api/raw", b'{"a":1}', "Application/JSON; charset=utf-8") == (200, {"a": 1})


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"name": "a", "nmae": "b"}, {"nmae": "There is no such field."}),
        ({"name": "a", "id": "7"}, {"id": "This field is set by the server."}),
        ({"nmae": "b"}, {"nmae": "There is no such field.", "name": "This field is required."}),
        (
            {"name": "a", "tiers": [{"up_to": 1}, {"up_to": 1, "upto": 2}]},
            {"tiers.1.upto": "There is no such field."},
        ),
        ([], {"": "Invalid data. Expected a dictionary, but got list."}),
        ("text", {"": "Invalid data. Expected a dictionary, but got str."}),
    ],
)
def test_strict_serializers_name_what_they_do_not_take(client, body, errors):
    status, problem = post(client, "/api/things", json.dumps(body).encode())
    assert status == 422
    assert {each["field"]: each["message"] for each in problem["errors"]} == errors


@pytest.mark.urls("tests.kit.rest_views")
class TestAnyBody(TestCase):
    """No body, however odd, is answered with 500."""

    @settings(max_examples=150, deadline=None)
    @given(
        st.one_of(st.binary(max_size=200), st.text(max_size=80).map(lambda text: json.dumps({"name": text}).encode()))
    )
    def test_is_never_a_crash(self, body):
        response = self.client.post("/api/things", body, content_type="application/json")
        assert response.status_code in {200, 400, 422}
