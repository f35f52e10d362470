"""Which key a caller presents."""

import pytest

from gateway.policies.credentials import presented
from kit.secrets import new_token
from tests.gateway.playbook import LIVE_KEY, TEST_KEY

MISSPELT = LIVE_KEY[:-1] + ("a" if LIVE_KEY[-1] != "a" else "b")


@pytest.mark.parametrize(
    ("headers", "kind", "secret"),
    [
        ([("x-api-key", LIVE_KEY)], "live", LIVE_KEY),
        ([("x-api-key", TEST_KEY)], "test", TEST_KEY),
        ([("x-api-key", f" {LIVE_KEY} ")], "live", LIVE_KEY),
        ([("authorization", f"Bearer {LIVE_KEY}")], "live", LIVE_KEY),
        ([("authorization", f"bearer   {TEST_KEY}")], "test", TEST_KEY),
        ([("x-api-key", LIVE_KEY), ("authorization", "Bearer of.something.else")], "live", LIVE_KEY),
        ([("x-api-key", LIVE_KEY), ("authorization", "Basic eDp5")], "live", LIVE_KEY),
        ([("x-api-key", LIVE_KEY), ("authorization", f"Bearer {LIVE_KEY}")], "live", LIVE_KEY),
        ([("x-api-key", LIVE_KEY), ("x-api-key", LIVE_KEY)], "live", LIVE_KEY),
        ([("x-api-key", ""), ("authorization", f"Bearer {LIVE_KEY}")], "live", LIVE_KEY),
    ],
)
def test_a_key_is_found(headers, kind, secret):
    credential = presented(headers)
    assert (credential.kind, credential.secret, credential.refusal) == (kind, secret, "")


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ([], "key_missing"),
        ([("x-api-key", "")], "key_missing"),
        ([("authorization", "")], "key_missing"),
        ([("authorization", "Bearer")], "key_missing"),
        ([("authorization", f"Basic {LIVE_KEY}")], "key_missing"),
        ([("x-api-key", MISSPELT)], "key_invalid"),
        ([("x-api-key", LIVE_KEY.upper())], "key_invalid"),
        ([("x-api-key", new_token())], "key_invalid"),
        ([("x-api-key", "\u20ac")], "key_invalid"),
        ([("authorization", "Bearer of.something.else")], "key_invalid"),
        ([("x-api-key", LIVE_KEY), ("x-api-key", TEST_KEY)], "two_credentials"),
        ([("x-api-key", f"{LIVE_KEY},{TEST_KEY}")], "two_credentials"),
        ([("x-api-key", LIVE_KEY), ("authorization", f"Bearer {TEST_KEY}")], "two_credentials"),
        ([("x-api-key", "anything"), ("authorization", f"Bearer {TEST_KEY}")], "two_credentials"),
        ([("authorization", f"Bearer {LIVE_KEY}"), ("authorization", f"Bearer {TEST_KEY}")], "two_credentials"),
    ],
)
def test_what_is_no_key_waits_for_its_refusal(headers, refusal):
    credential = presented(headers)
    assert (credential.refusal, credential.secret) == (refusal, "")
