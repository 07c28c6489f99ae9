import pytest

from pacts.addresses import UrlRefused, denial, split_url


@pytest.mark.parametrize(
    "text",
    [
        "ftp://example.org/",
        "file:///etc/passwd",
        "//example.org/",
        "example.org",
        "http:example.org",
        "http:///path",
        "http://user@example.org/",
        "http://user:secret@example.org/",
        "http://example.org@127.0.0.1/",
        "http://example.org\\@127.0.0.1/",
        "http:\\\\example.org/",
        "http://example.org\t/",
        "http://example.org/\r\nHost: x",
        " http://example.org/",
        "http://example.org/ x",
        "http://exämple.org/",
        "http://example.org/ä",
        "http://example.org/#fragment",
        "http://example.org:/",
        "http://example.org:0/",
        "http://example.org:22/",
        "http://example.org:25/",
        "http://example.org:6379/",
        "http://example.org:65536/",
        "http://example.org:99999999/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://1.2.3.4.5/",
        "http://127.0.0.1./",
        "http://example.org./",
        "http://exa_mple.org/",
        "http://-example.org/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://[::ffff:999.0.0.1]/",
        "http://example.org:80:80/",
        "http://%31%32%37.0.0.1/",
        "http://" + "a" * 64 + ".org/",
        "http://example.org/" + "a" * 2000,
        "",
    ],
)
def test_a_url_that_could_mean_two_things_is_refused(text: str) -> None:
    with pytest.raises(UrlRefused):
        split_url(text)


def test_a_url_is_taken_apart_once() -> None:
    url = split_url("HTTPS://Example.ORG:8443/a/b?c=d&e=%20")
    assert (url.scheme, url.host, url.port) == ("https", "example.org", 8443)
    assert url.target == "/a/b?c=d&e=%20"
    assert url.authority == "example.org:8443"
    assert str(split_url("http://example.org?x=1")) == "http://example.org/?x=1"
    assert split_url("http://[2606:4700::1111]/").authority == "[2606:4700::1111]"


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"),
        *("172.16.0.1", "172.31.255.255", "192.168.1.1", "192.0.0.8", "198.18.0.1", "224.0.0.1"),
        *("240.0.0.1", "255.255.255.255", "192.88.99.1", "168.63.129.16", "203.0.113.9"),
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1"),
        *("64:ff9b::808:808", "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1", "2001::1"),
        *("2001:db8::1", "fc00::1", "fd12::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
        *("100::1", "5f00::1", "3fff::1", "4000::1", "not an address", "1.2.3", ""),
    ],
)
def test_addresses_that_are_not_the_public_internet_are_denied(address: str) -> None:
    assert denial(address, allow_loopback=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert denial(address, allow_loopback=False) is None


def test_loopback_and_nothing_else_is_allowed_in_development() -> None:
    for address in ("127.0.0.1", "127.8.8.8", "::1"):
        assert denial(address, allow_loopback=True) is None
    for address in ("10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0", "::7f00:1"):
        assert denial(address, allow_loopback=True)
