"""Signed cards: what a key of the agent's own host signed, and everything that is not that."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey

from pacts.agents.card import CardUnusable, fetch_card, read_card
from pacts.agents.card_signatures import SignatureDoesNotFit, check_signatures
from pacts.egress import Egress, EgressPolicy, EgressRefused
from reputation.canonical import canonical

KEY = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"}, private=True)
OTHER = OKPKey.generate_key("Ed25519", parameters={"kid": "k1"}, private=True)


@pytest.fixture
def egress() -> Egress:
    return Egress(policy=EgressPolicy(allow_loopback=True, deadline_seconds=3))


@contextmanager
def serving(pages: dict[str, tuple[int, bytes]]) -> Iterator[str]:
    """A host that serves these paths, and 404 elsewhere. Yields its origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = pages.get(self.path, (404, b""))
            self.send_response(status)
            if status in (301, 302):
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def card_at(origin: str, **changes: Any) -> dict[str, Any]:
    return {"name": "Doubler", "url": f"{origin}/rpc", "protocolVersion": "0.3.0"} | changes


def signed(card: dict[str, Any], *, jku: str, key: Any = KEY) -> dict[str, Any]:
    header = {"alg": "Ed25519", "kid": "k1", "jku": jku}
    compact = jws.serialize_compact(header, canonical(card), key, algorithms=["Ed25519"])
    protected, _, signature = compact.split(".")
    return card | {"signatures": [{"protected": protected, "signature": signature}]}


def key_set() -> bytes:
    return json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()


def test_a_card_signed_by_its_own_host_is_verified(egress: Egress) -> None:
    pages: dict[str, tuple[int, bytes]] = {"/keys.json": (200, key_set())}
    with serving(pages) as origin:
        card = signed(card_at(origin), jku=f"{origin}/keys.json")
        pages["/.well-known/agent-card.json"] = (200, json.dumps(card).encode())
        found = fetch_card(url=origin, egress=egress)
    assert found.signed == "verified"
    assert found.declared["card_signed"] == "verified"


@pytest.mark.parametrize("wrong", ["text", "key", "bytes"])
def test_a_signature_that_does_not_fit_is_refused_in_words(egress: Egress, wrong: str) -> None:
    with serving({"/keys.json": (200, key_set())}) as origin:
        key = OTHER if wrong == "key" else KEY
        card = signed(card_at(origin), jku=f"{origin}/keys.json", key=key)
        if wrong == "text":
            card["name"] = "Tripler"
        if wrong == "bytes":
            card["signatures"][0]["signature"] = base64.urlsafe_b64encode(b"x" * 64).decode()
        with pytest.raises(CardUnusable, match="signature does not fit"):
            read_card(json.dumps(card).encode(), egress=egress)


@pytest.mark.parametrize("place", ["https://keys.example/k.json", "{origin}/missing.json"])
def test_a_key_from_elsewhere_or_none_at_all_proves_nothing(egress: Egress, place: str) -> None:
    with serving({}) as origin:
        card = signed(card_at(origin), jku=place.format(origin=origin))
        assert read_card(json.dumps(card).encode(), egress=egress).signed == "unchecked"
        assert read_card(json.dumps(card_at(origin)).encode(), egress=egress).signed == "unsigned"


@pytest.mark.parametrize(
    "header",
    [
        b'{"jku":' + b"[" * 100_000,
        b'{"jku":"http://[::1"}',
        b'{"jku":"http://127.0.0.1:99999/keys"}',
        b'{"jku":7}',
        b"[]",
        b"\xff",
    ],
    ids=["deep", "broken address", "no such port", "a number", "no object", "no text"],
)
def test_a_header_that_makes_no_sense_names_no_key(egress: Egress, header: bytes) -> None:
    protected = base64.urlsafe_b64encode(header).decode().rstrip("=")
    card = card_at("http://127.0.0.1:1")
    card["signatures"] = [{"protected": protected, "signature": "AAAA"}]
    assert check_signatures(card, host="127.0.0.1", egress=egress) == "unchecked"


@pytest.mark.parametrize("keys", [{"keys": 7}, {"keys": [7]}, {"keys": [{"kty": []}]}, []])
def test_a_key_set_that_is_none_proves_nothing(egress: Egress, keys: Any) -> None:
    with serving({"/keys.json": (200, json.dumps(keys).encode())}) as origin:
        card = signed(card_at(origin), jku=f"{origin}/keys.json")
        assert check_signatures(card, host="127.0.0.1", egress=egress) == "unchecked"


@pytest.mark.parametrize(
    "changes", [{"alg": []}, {"alg": 7}, {"kid": ["k1"]}, {"crit": ["x"]}, {"b64": False}]
)
def test_a_header_that_no_signer_writes_does_not_fit(
    egress: Egress, changes: dict[str, Any]
) -> None:
    with serving({"/keys.json": (200, key_set())}) as origin:
        card = signed(card_at(origin), jku=f"{origin}/keys.json")
        header = {"alg": "Ed25519", "kid": "k1", "jku": f"{origin}/keys.json"} | changes
        written = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        card["signatures"][0]["protected"] = written
        with pytest.raises(SignatureDoesNotFit):
            check_signatures(card, host="127.0.0.1", egress=egress)


def test_a_card_behind_a_redirect_is_not_followed(egress: Egress) -> None:
    pages = {"/card.json": (302, b"http://169.254.169.254/latest")}
    with serving(pages) as origin, pytest.raises(CardUnusable, match=r"302|redirect"):
        fetch_card(url=f"{origin}/card.json", egress=egress)


def test_a_card_of_ten_megabytes_is_cut_off(egress: Egress) -> None:
    huge = json.dumps({"name": "x" * 10_000_000}).encode()
    with serving({"/card.json": (200, huge)}) as origin, pytest.raises(CardUnusable):
        fetch_card(url=f"{origin}/card.json", egress=egress)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.7/card.json", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/"]
)
def test_a_card_at_a_private_address_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises((EgressRefused, ValueError)):
        fetch_card(url=url, egress=Egress())


def test_an_agent_without_a_card_is_told_where_one_was_looked_for(egress: Egress) -> None:
    with serving({}) as origin, pytest.raises(CardUnusable, match=r"agent\.json answered 404"):
        fetch_card(url=f"{origin}/run", egress=egress)
