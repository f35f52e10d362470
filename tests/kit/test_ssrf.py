"""The guard: which addresses are public, which URLs are places, and what a rebound name gets."""

from ipaddress import ip_address

import pytest

from kit.ssrf import CACHE_S, Guard, NotAllowed, NotFound, Place, is_public, look_up, place_of

PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::101:101"]
NOT_PUBLIC = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.1.2.3",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::7f00:1",
    "2002:0101:0101::1",
    "2002:7f00:0001::1",
    "2002:a9fe:a9fe::",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2001:0:4136:e378::1",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_not_public(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://example.com/",
        "//example.com/",
        "http://",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://example。com/",
        "http://[fe80::1%25eth0]/",
        "http://exa mple.com/",
        "http://[::1/",
        "http://127.0.0.1\\@example.com/",
    ],
)
def test_what_only_looks_like_a_place(url):
    with pytest.raises(NotAllowed):
        place_of(url)


def test_a_place_knows_its_port_and_authority():
    assert place_of("http://Example.com/x") == Place("http", "example.com", 80)
    assert place_of("https://example.com:8443").authority == "example.com:8443"
    assert place_of("https://[2606:4700::1]:443/").authority == "[2606:4700::1]"


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_spellings_of_loopback_that_the_system_resolver_accepts(host):
    """The guard judges addresses, so the spelling of a host hides nothing."""
    with pytest.raises((NotAllowed, NotFound)):
        Guard(()).addresses(Place("http", host, 80))


def test_the_operators_list_is_exact():
    guard = Guard({"127.0.0.1:9000"}, resolve=lambda host, port: [host])
    assert guard.addresses(Place("http", "127.0.0.1", 9000)) == ("127.0.0.1",)
    with pytest.raises(NotAllowed):
        guard.addresses(Place("http", "127.0.0.1", 9001))
    with pytest.raises(NotAllowed):
        guard.addresses(Place("http", "127.0.0.2", 9000))


def test_one_private_address_among_public_ones_refuses_all():
    guard = Guard((), resolve=lambda host, port: ["1.1.1.1", "10.0.0.1"])
    with pytest.raises(NotAllowed, match=r"10\.0\.0\.1"):
        guard.addresses(Place("https", "mixed.example", 443))


def test_a_rebound_name_is_judged_again_when_the_cache_has_passed():
    now, answers = [0.0], ["1.1.1.1"]
    guard = Guard((), resolve=lambda host, port: list(answers), clock=lambda: now[0])
    place = Place("https", "rebound.example", 443)
    assert guard.addresses(place) == ("1.1.1.1",)
    answers[:] = ["127.0.0.1"]
    assert guard.addresses(place) == ("1.1.1.1",), "within the cache the checked address is used, not the new one"
    now[0] = CACHE_S + 1
    with pytest.raises(NotAllowed):
        guard.addresses(place)


def test_a_name_without_address_is_not_found():
    def nothing(host, port):
        raise OSError("no such host")

    with pytest.raises(NotFound):
        Guard((), resolve=nothing).addresses(Place("https", "nowhere.example", 443))
    with pytest.raises(NotFound):
        Guard((), resolve=lambda host, port: []).addresses(Place("https", "nowhere.example", 443))
    with pytest.raises((NotAllowed, NotFound)):
        Guard((), resolve=look_up).addresses(Place("https", "a" * 70 + ".example", 443))
