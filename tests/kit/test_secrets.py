"""Keys and tokens: made, recognised without a store, stored as chains of digests; fields sealed in their place."""

import hashlib
import hmac
import random
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kit import secrets
from kit.ids import BASE62, uuid7

KEY_CHARS = string.ascii_letters + string.digits
PEPPER = "pepper of the first year"
NEWER = "pepper of the second year"


@pytest.mark.parametrize("kind", ["live", "test"])
def test_a_new_key_shows_its_kind_and_nothing_repeats(kind):
    keys = {secrets.new_api_key(kind) for _ in range(200)}
    assert len(keys) == 200
    assert {len(key) for key in keys} == {44}
    assert {secrets.key_kind(key) for key in keys} == {kind}
    assert all(key.startswith(f"tg_{kind}_") for key in keys)
    assert not any(secrets.is_token(key) for key in keys)


def test_every_character_of_the_random_part_is_used():
    letters = set("".join(secrets.new_api_key("live")[8:38] for _ in range(200)))
    assert letters == set(BASE62)


def test_the_checksum_is_crc32_over_all_before_it():
    """Pinned, for scanners written elsewhere read it too: CRC-32 in base 62 (0-9A-Za-z), six wide."""
    assert secrets._signed("tg_live_", "0" * 30) == "tg_live_" + "0" * 30 + "3nUU1K"


def malformed(number: int) -> str:
    """The `number`th of endless keys that look right: shape and length are, the checksum is not."""
    chance = random.Random(number)
    prefix = chance.choice(("tg_live_", "tg_test_", "tgm_"))
    return prefix + "".join(chance.choices(BASE62, k=chance.choice((36, 36, 36, 35, 37, 0, 72))))


def test_ten_thousand_malformed_keys_are_refused():
    passed = [text for text in map(malformed, range(10_000)) if secrets.key_kind(text) or secrets.is_token(text)]
    assert passed == []


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet=KEY_CHARS + "_-", min_size=34, max_size=38).map("tg_test_".__add__))
@example("")
@example("tg_live_")
@example("tg_live_" + "A" * 10**5)
@example("tg_live_" + "Ａ" * 36)
@example("tg_live_" + "٣" * 36)
@example("tg_live_\ud800" + "A" * 35)
def test_any_other_text_is_refused(text):
    assert secrets.key_kind(text) is None
    assert not secrets.is_token(text)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 43), char=st.sampled_from(KEY_CHARS + "_ \n\0é"))
def test_one_wrong_character_is_noticed(at, char):
    key = secrets.new_api_key("live")
    typed = key[:at] + char + key[at + 1 :]
    assert (secrets.key_kind(typed) == "live") == (typed == key)


@pytest.mark.parametrize("around", ["{} ", " {}", "{}\n", "{}\0", "{0}{0}"])
def test_nothing_may_stand_around_a_key(around):
    assert secrets.key_kind(around.format(secrets.new_api_key("live"))) is None
    assert not secrets.is_token(around.format(secrets.new_token()))


def test_a_live_key_does_not_pass_as_a_test_key():
    assert secrets.key_kind(secrets.new_api_key("live").replace("live", "test")) is None


def test_a_derived_test_key_is_always_the_same_and_belongs_to_one_row_and_one_installation():
    row, other = uuid7(), uuid7()
    key = secrets.derived_test_key("master", row)
    assert key == secrets.derived_test_key("master", str(row))
    assert secrets.key_kind(key) == "test"
    assert len(key) == 44
    assert key not in {secrets.derived_test_key("master", other), secrets.derived_test_key("another", row)}


def test_digests_are_a_chain_of_hmacs_newest_first():
    key = secrets.new_api_key("live")
    first = hmac.digest(PEPPER.encode(), key.encode(), "sha256")
    second = hmac.digest(NEWER.encode(), first, "sha256")
    assert secrets.key_digests(key, [PEPPER]) == (first.hex(),)
    assert secrets.key_digests(key, [PEPPER, NEWER]) == (second.hex(), first.hex())


def test_a_pepper_is_added_without_knowing_a_key():
    key = secrets.new_api_key("live")
    stored = secrets.key_digests(key, [PEPPER])[0]
    assert stored in secrets.key_digests(key, [PEPPER, NEWER])  # found before it is rewrapped
    assert secrets.rewrapped(stored, NEWER) == secrets.key_digests(key, [PEPPER, NEWER])[0]  # and after


def test_without_a_pepper_nothing_is_stored():
    with pytest.raises(ValueError, match="no pepper"):
        secrets.key_digests("tg_live_x", [])


def test_a_token_is_recognised_and_stored_as_its_sha256():
    token = secrets.new_token()
    assert token.startswith("tgm_")
    assert secrets.is_token(token)
    assert secrets.key_kind(token) is None
    assert secrets.token_digest(token) == hashlib.sha256(token.encode()).hexdigest()


def test_same_compares():
    assert secrets.same("a", "a")
    assert not secrets.same("a", "b")
    assert not secrets.same("a", "é")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200), st.text(alphabet="abc:é", max_size=20))
def test_what_is_sealed_opens_in_its_place(text, place):
    sealed = secrets.encrypt("master", text, aad=place)
    assert secrets.decrypt("master", sealed, aad=place) == text
    assert sealed.startswith(f"v1.{secrets.encryption_key_id('master')}.")


def test_the_same_text_is_never_sealed_alike():
    assert secrets.encrypt("master", "x", aad="a") != secrets.encrypt("master", "x", aad="a")


SEALED = secrets.encrypt("master", "the upstream's password", aad="upstream:1")


@pytest.mark.parametrize(
    ("key", "sealed", "aad", "reason"),
    [
        ("another", SEALED, "upstream:1", "another key"),
        ("master", SEALED, "upstream:2", "moved"),
        ("master", SEALED[:-4] + "AAAA", "upstream:1", "damaged"),
        ("master", SEALED[:20], "upstream:1", "damaged"),
        ("master", "v2" + SEALED[2:], "upstream:1", "not a sealed"),
        ("master", "", "upstream:1", "not a sealed"),
        ("master", "the upstream's password", "upstream:1", "not a sealed"),
        ("master", f"v1.{secrets.encryption_key_id('master')}.é", "upstream:1", "damaged"),
    ],
)
def test_what_is_not_in_its_place_does_not_open(key, sealed, aad, reason):
    with pytest.raises(secrets.NotOpened, match=reason) as caught:
        secrets.decrypt(key, sealed, aad=aad)
    assert "password" not in str(caught.value)


def test_keys_of_different_purposes_share_nothing():
    subkeys = {secrets._subkey("master", purpose) for purpose in ("seal", "key id", "test key:1")}
    assert len(subkeys) == 3
    assert secrets.encryption_key_id("master") not in "master"
