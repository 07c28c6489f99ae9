"""What must not leave the process does not leave it: not in texts, keys, numbers or errors."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from pacts.guard.redaction import Redactor
from tests.pacts.guard.conftest import Guards
from tests.pacts.guard.receiving import Receiver

SECRETS = {
    "email": "bob.builder+x@firm.example",
    "phone": "+49 30 1234567",
    "card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "key": "sk-proj-abcdefghijklmnopqrstuvwx",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "private_key": "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("kind", sorted(SECRETS))
def test_every_kind_is_blotted_out_and_named(kind: str) -> None:
    redactor = Redactor()
    assert redactor.text(f"it is {SECRETS[kind]}, keep it") == f"it is [{kind}], keep it"
    assert redactor.taken() == {kind: 1}


@pytest.mark.parametrize(
    "text",
    [
        "order 1234567890123456",  # no Luhn sum
        "2024-02-29 12:30:00",
        "version 3.11.7-2",
        "user@localhost",
        "total 1.234.567,89",
        "DE00 3704 0044 0532 0130 00",
    ],
)
def test_what_only_looks_a_little_like_it_stays(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize("text", [*SECRETS.values(), "[email] [card]"])
def test_twice_changes_nothing(text: str) -> None:
    redactor = Redactor()
    assert redactor.text(redactor.text(text)) == redactor.text(text)


def test_keys_and_long_numbers_are_read_too_and_two_names_never_become_one() -> None:
    value: Any = {"a@x.example": 1, "b@x.example": 2, "n": 4111111111111111, "ok": 12}
    assert Redactor().value(value) == {"[email]": 1, "[email]#2": 2, "n": "[card]", "ok": 12}


def test_nothing_secret_is_in_the_spool_or_on_the_wire(
    guards: Guards, market: Receiver, tmp_path: Any
) -> None:
    market.answers.append((503, {"Retry-After": "1"}))
    guard = guards(redact={"customer": r"C-\d{4}"})

    def agent(secrets: dict[str, str]) -> dict[str, Any]:
        return {"echo": list(secrets.values()), "customer": "C-1234"}

    guard.wrap(agent, labels={"who": SECRETS["email"]})(SECRETS)
    assert not guard.flush(0.3)
    spooled = b"".join(file.read_bytes() for file in tmp_path.rglob("*.seg"))
    assert guard.flush(10)
    for seen in (spooled.decode("utf-8", "replace"), market.raw.decode()):
        assert len(seen) > 100
        for secret in (*SECRETS.values(), "C-1234"):
            assert json.dumps(secret)[1:-1] not in seen
    assert market.only()["redactions"]["email"] >= 2
    assert market.only()["output"]["customer"] == "[customer]"


def test_the_host_may_let_a_kind_through(guards: Guards, market: Receiver) -> None:
    guard = guards(keep=("email",))
    guard(lambda: "write to a@x.example")()
    assert guard.flush(5)
    assert market.only()["output"] == "write to a@x.example"


def test_clauses_are_checked_on_what_was_said_not_on_what_is_sent(
    guards: Guards, market: Receiver
) -> None:
    wanted = {"field": "to", "texts": ["a@x.example"]}
    guard = guards(pact=[{"key": "k", "check": "contains", "params": wanted}])
    guard(lambda: {"to": "a@x.example"})()
    assert guard.flush(5)
    assert market.only()["checks"][0]["outcome"] == "pass"
    assert market.only()["output"] == {"to": "[email]"}


def test_digests_stand_for_content_where_the_policy_says_so(
    guards: Guards, market: Receiver
) -> None:
    guard = guards(content="digests", digest_key=b"k")
    guard(lambda q: {"b": 1, "a": "ü"})("hello")
    assert guard.flush(5)
    record = market.only()
    assert "input" not in record
    assert "output" not in record
    wanted = hmac.new(b"k", '{"a":"ü","b":1}'.encode(), hashlib.sha256).hexdigest()
    assert record["output_digest"] == f"hmac-sha256:{wanted}"


def test_nothing_at_all_is_sent_of_the_content_where_the_policy_says_none(
    guards: Guards, market: Receiver
) -> None:
    guard = guards(content="none")
    guard(lambda q: q)("hello")
    assert guard.flush(5)
    assert b"hello" not in market.raw


def test_an_answer_too_large_to_send_leaves_its_digest(guards: Guards, market: Receiver) -> None:
    guard = guards()
    guard(lambda: ["x" * 150_000] * 6)()
    assert guard.flush(5)
    record = market.only()
    assert record["truncated"] is True
    assert record["output_digest"].startswith("sha256:")
