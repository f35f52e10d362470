"""Idempotency-Key: one effect, equal answers, nothing half done."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Organization
from kit.django import idempotency
from kit.django.models import IdempotentAnswer, Outbox
from tests.kit import handlers, rest_views

pytestmark = [pytest.mark.urls("tests.kit.rest_views"), pytest.mark.django_db(transaction=True)]


def post(path: str, body: dict, *, key: str | None = "k1", me: str = "someone"):
    headers = {"x-me": me} | ({"idempotency-key": key} if key is not None else {})
    try:
        return Client().post(path, json.dumps(body), content_type="application/json", headers=headers)
    finally:
        if connection.connection and not connection.in_atomic_block:
            connection.close()


def code(response) -> str:
    return json.loads(response.content)["code"]


def orders() -> int:
    return Organization.objects.exclude(name="key").count()


def test_a_repeat_is_answered_alike_and_changes_nothing():
    first, second = (post("/api/orders", {"of": "tea"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert orders() == 1


def test_fifty_at_once_make_one_order_and_fifty_equal_answers():
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: post("/api/orders", {"of": "tea"}), range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert orders() == 1


def test_fifty_at_once_see_a_secret_once():
    with ThreadPoolExecutor(50) as pool:
        answers = [json.loads(answer.content) for answer in pool.map(lambda _: post("/api/keys", {}), range(50))]
    assert Organization.objects.filter(name="key").count() == 1
    assert len([answer for answer in answers if answer["secret"]]) == 1
    replays = [answer for answer in answers if not answer["secret"]]
    assert all(answer == {"id": answers[0]["id"], "secret": None, "replayed": True} for answer in replays)


def test_a_secret_is_not_stored():
    secret = json.loads(post("/api/keys", {}).content)["secret"]
    assert secret not in IdempotentAnswer.objects.get().body


@pytest.mark.parametrize("body", [{"of": "coffee"}, {"of": "tea", "slow": False}, {}])
def test_another_body_under_the_same_key_is_a_mismatch(body):
    post("/api/orders", {"of": "tea"})
    response = post("/api/orders", body)
    assert (response.status_code, code(response)) == (422, "idempotency_mismatch")
    assert orders() == 1


def test_the_same_body_written_otherwise_is_the_same():
    post("/api/orders", {"of": "tea", "slow": False})
    assert post("/api/orders", {"slow": False, "of": "tea"}).status_code == 201
    assert orders() == 1


def test_a_query_is_part_of_the_request():
    post("/api/orders?a=1", {"of": "tea"})
    assert code(post("/api/orders?a=2", {"of": "tea"})) == "idempotency_mismatch"


def test_a_key_belongs_to_one_principal_and_one_endpoint():
    post("/api/orders", {"of": "tea"})
    post("/api/orders", {"of": "tea"}, me="another")
    post("/api/keys", {})
    assert orders() == 2
    assert IdempotentAnswer.objects.count() == 3


def test_a_refusal_is_not_remembered():
    refused = post("/api/orders", {"of": "tea", "broken": True})
    assert (refused.status_code, orders()) == (422, 0)
    assert post("/api/orders", {"of": "tea"}).status_code == 201


def test_where_money_moves_a_key_is_required_and_elsewhere_not():
    missing = post("/api/orders", {"of": "tea"}, key=None)
    assert (missing.status_code, code(missing)) == (400, "idempotency_key_missing")
    assert [post("/api/keys", {}, key=None).status_code for _ in range(2)] == [201, 201]
    assert Organization.objects.filter(name="key").count() == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "a" * 256, "\x01"])
def test_a_bad_key_is_invalid(key):
    response = post("/api/orders", {"of": "tea"}, key=key)
    assert (response.status_code, code(response)) == (422, "invalid")
    assert orders() == 0


def test_a_repeat_during_a_slow_request_is_told_it_is_in_flight(monkeypatch):
    monkeypatch.setattr(idempotency, "WAIT_MS", 50)
    rest_views.started.clear()
    rest_views.go_on.clear()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(post, "/api/orders", {"of": "tea", "slow": True})
        assert rest_views.started.wait(10)
        repeat = post("/api/orders", {"of": "tea", "slow": True})
        rest_views.go_on.set()
        assert slow.result(10).status_code == 201
    assert (repeat.status_code, code(repeat)) == (409, "idempotency_in_flight")
    assert repeat.headers["Retry-After"] == "1"


def aged(by: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("update kit_idempotentanswer set created_at = created_at - %s::interval", [by])


def test_after_24_hours_a_key_is_new_again():
    post("/api/orders", {"of": "tea"})
    aged("23 hours 59 minutes")
    post("/api/orders", {"of": "tea"})
    assert orders() == 1
    aged("2 minutes")
    assert post("/api/orders", {"of": "coffee"}).status_code == 201
    assert orders() == 2
    assert post("/api/orders", {"of": "coffee"}).headers["Idempotent-Replayed"] == "true"


def test_expired_answers_are_dropped_by_later_requests():
    for number in range(3):
        post("/api/orders", {"of": "tea"}, key=f"old{number}")
    aged("25 hours")
    post("/api/orders", {"of": "tea"}, key="new")
    assert IdempotentAnswer.objects.count() == 1


def statuses(answers: Iterable) -> list[int]:
    return [answer.status_code for answer in answers]


def test_a_repeat_does_not_say_done_before_the_news_is_delivered(settings):
    settings.OUTBOX_HANDLERS = {"news": "tests.kit.handlers.take"}
    handlers.forget()
    handlers.away.add("revoked")
    pending = [post("/api/revoke", {}) for _ in range(2)]
    assert statuses(pending) == [503, 503]
    assert {code(answer) for answer in pending} == {"propagation_pending"}
    handlers.away.clear()
    assert post("/api/revoke", {}).status_code == 200
    assert handlers.taken == [("revoked", {})]
    assert Outbox.objects.count() == 1
