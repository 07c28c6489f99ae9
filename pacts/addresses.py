"""Which URLs may be called at all, and which network addresses: by an explicit list."""

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

LONGEST_URL = 2_000

_URL = re.compile(r"(https?)://([^/?#]*)([/?][\x21\x22\x24-\x7e]*)?\Z", re.IGNORECASE)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_AUTHORITY = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]{1,5}))?\Z")
# Ports where an HTTP request could be taken for another protocol's words: everything below 1024
# but the web's own, and the services commonly found above (the WHATWG bad ports, databases).
_REFUSED_PORTS = frozenset(
    {1433, 1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 3306, 3389, 3659, 4045, 4190, 5060}
    | {5061, 5432, 5672, 5900, 6000, 6379, 6380, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697}
    | {9042, 9092, 9200, 9300, 10080, 10250, 11211, 27017}
)

_DENIED_4: dict[IPv4Network, str] = {
    IPv4Network(network): what
    for network, what in {
        "0.0.0.0/8": "this network",
        "10.0.0.0/8": "private",
        "100.64.0.0/10": "carrier-grade NAT",
        "127.0.0.0/8": "loopback",
        "168.63.129.16/32": "a cloud provider's host agent",
        "169.254.0.0/16": "link-local",
        "172.16.0.0/12": "private",
        "192.0.0.0/24": "protocol assignments",
        "192.0.2.0/24": "documentation",
        "192.31.196.0/24": "AS112",
        "192.52.193.0/24": "AMT relays",
        "192.88.99.0/24": "6to4 relays",
        "192.168.0.0/16": "private",
        "192.175.48.0/24": "AS112",
        "198.18.0.0/15": "benchmarking",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved or broadcast",
    }.items()
}
_DENIED_6: dict[IPv6Network, str] = {
    IPv6Network(network): what
    for network, what in {
        "::1/128": "loopback",
        "::/96": "unspecified or IPv4-compatible",
        "::ffff:0:0/96": "IPv4-mapped",
        "64:ff9b::/96": "NAT64",
        "64:ff9b:1::/48": "local NAT64",
        "100::/64": "discard-only",
        "2001::/23": "protocol assignments, Teredo among them",
        "2001:db8::/32": "documentation",
        "2002::/16": "6to4",
        "2620:4f:8000::/48": "AS112",
        "3fff::/20": "documentation",
        "fc00::/7": "private",
        "fe80::/10": "link-local",
        "fec0::/10": "site-local",
        "ff00::/8": "multicast",
    }.items()
}
_UNICAST_6 = IPv6Network("2000::/3")
_LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


class UrlRefused(ValueError):
    """A URL nobody may call; the message says what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """A URL taken apart once; what is connected to, sent and logged all comes from here."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The Host header: the name, bracketed if IPv6, with the port unless it is the usual."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _usual(self.scheme) else f"{host}:{self.port}"

    def at(self, target: str) -> "Url":
        """Another target on the same origin."""
        return Url(scheme=self.scheme, host=self.host, port=self.port, target=target)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def split_url(text: str) -> Url:
    """Take a URL apart. Raises UrlRefused."""
    if len(text) > LONGEST_URL:
        raise UrlRefused(f"the URL is longer than {LONGEST_URL} characters")
    if "\\" in text:
        raise UrlRefused("a URL holds no backslash")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UrlRefused("write the URL in printable ASCII (xn-- names, %-encoded paths)")
    found = _URL.match(text)
    if found is None:
        raise UrlRefused("write the URL as http(s)://name/path, without a fragment")
    scheme, authority, target = found[1].lower(), found[2], found[3] or "/"
    if "@" in authority:
        raise UrlRefused("a URL holds no user name or password")
    parts = _AUTHORITY.match(authority)
    if parts is None:
        raise UrlRefused("the host is not a name or an address")
    port = int(parts[2]) if parts[2] else _usual(scheme)
    _check_port(port)
    target = target if target.startswith("/") else "/" + target
    return Url(scheme=scheme, host=_host(parts[1]), port=port, target=target)


def denial(address: str, *, allow_loopback: bool) -> str | None:
    """Why this address may not be connected to, or None. IPv6 zones are refused."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "not an address"
    if allow_loopback and any(ip in network for network in _LOOPBACK):
        return None
    return _denied_4(ip) if isinstance(ip, IPv4Address) else _denied_6(ip)


def _usual(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _check_port(port: int) -> None:
    allowed = port in (80, 443) or 1024 <= port <= 65535
    if not allowed or port in _REFUSED_PORTS:
        raise UrlRefused(f"port {port} is not called; use 80, 443 or an unreserved port over 1023")


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1]))
        except ValueError as error:
            raise UrlRefused("the host is not an IPv6 address") from error
    host = text.lower()
    # A last label of digits (or 0x…) is an address to the C library, however it is written.
    if re.match(r"(?:[0-9]+|0x[0-9a-f]*)\Z", host.rpartition(".")[2]):
        try:
            return str(IPv4Address(host))
        except ValueError as error:
            raise UrlRefused("write an IPv4 address as four decimal numbers") from error
    if len(host) > 253 or not _NAME.match(host):
        raise UrlRefused("the host is not a name")
    return host


def _denied_4(ip: IPv4Address) -> str | None:
    return next((what for network, what in _DENIED_4.items() if ip in network), None)


def _denied_6(ip: IPv6Address) -> str | None:
    if ip.scope_id is not None:
        return "an address with a zone"
    found = next((what for network, what in _DENIED_6.items() if ip in network), None)
    return found or (None if ip in _UNICAST_6 else "outside global unicast")
