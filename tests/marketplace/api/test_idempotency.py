"""One effect and one answer per key, whoever races, crashes or sends again."""

from typing import Any

import pytest
from django.db import connections
from rest_framework.renderers import JSONRenderer

from marketplace.models import ReplayedRequest
from settlement.models import Deposit
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.racing import in_parallel

TEN = {"amount": "1000", "currency": "EUR"}


@pytest.fixture
def alice(db: None) -> Program:
    return program_of(cast.alice())


def test_a_request_that_moves_money_without_a_key_is_told_what_to_send(alice: Program) -> None:
    answer = alice.post("deposits", TEN)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]
    assert not Deposit.objects.exists()


def test_sent_again_it_answers_the_same_to_the_byte_and_does_nothing(alice: Program) -> None:
    first, again = alice.pay("deposits", TEN, "k"), alice.pay("deposits", TEN, "k")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert Deposit.objects.count() == 1


def test_the_order_of_the_fields_makes_no_other_request(alice: Program) -> None:
    alice.pay("deposits", b'{"amount": "1000", "currency": "EUR"}', "k")
    assert alice.pay("deposits", b'{"currency":"EUR","amount":"1000"}', "k").status_code == 201


def test_the_same_key_for_another_body_is_refused(alice: Program) -> None:
    alice.pay("deposits", TEN, "k")
    answer = alice.pay("deposits", {**TEN, "amount": "1001"}, "k")
    assert answer.status_code == 422
    assert "another request" in answer.json()["detail"]


def test_the_same_key_for_another_address_is_refused(alice: Program) -> None:
    alice.pay("deposits", TEN, "k")
    assert alice.pay("payouts", TEN, "k").status_code == 422


def test_two_callers_may_use_the_same_key(alice: Program) -> None:
    mallory = program_of(cast.mallory())
    first, second = alice.pay("deposits", TEN, "k"), mallory.pay("deposits", TEN, "k")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


def test_a_new_api_key_of_the_same_party_replays_instead_of_paying_again(db: None) -> None:
    actor = cast.alice()
    first = program_of(actor).pay("deposits", TEN, "k")
    assert program_of(actor).pay("deposits", TEN, "k").content == first.content


@pytest.mark.parametrize("key", ["", "a b", "k\u00e9y", "x" * 256, "tab\there"])
def test_a_malformed_key_is_refused(alice: Program, key: str) -> None:
    assert alice.pay("deposits", TEN, key or " ").status_code == 400


@pytest.mark.parametrize("key", ["!", "~" * 255])
def test_the_longest_and_the_shortest_key_work(alice: Program, key: str) -> None:
    assert alice.pay("deposits", TEN, key).status_code == 201


def test_a_refusal_uses_no_key_up(alice: Program) -> None:
    assert alice.pay("payouts", TEN, "k").status_code == 422
    assert not ReplayedRequest.objects.exists()


def test_a_key_is_honoured_where_it_is_not_needed(alice: Program) -> None:
    body = {"name": "Another party"}
    first, again = alice.pay("parties", body, "k"), alice.pay("parties", body, "k")
    assert first.json()["id"] == again.json()["id"]


@pytest.mark.django_db(transaction=True)
def test_a_crash_after_the_effect_leaves_neither_effect_nor_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice = program_of(cast.alice())

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("the process died")

    with monkeypatch.context() as patch:
        patch.setattr(ReplayedRequest.objects, "create", crash)
        assert alice.pay("deposits", TEN, "k").status_code == 500
    assert not Deposit.objects.exists()
    assert alice.pay("deposits", TEN, "k").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_twelve_at_once_one_acts_and_the_others_replay_or_wait() -> None:
    alice = program_of(cast.alice())

    def press() -> Any:
        try:
            return alice.pay("deposits", TEN, "pressed")
        finally:
            connections.close_all()

    answers = in_parallel(12, press)
    assert {answer.status_code for answer in answers} <= {201, 409}
    bodies = {answer.content for answer in answers if answer.status_code == 201}
    assert len(bodies) == 1
    assert Deposit.objects.count() == 1
    assert alice.pay("deposits", TEN, "pressed").content in bodies


@pytest.mark.django_db(transaction=True)
def test_while_one_is_worked_on_the_other_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    alice = program_of(cast.alice())
    act = JSONRenderer.render
    seen: list[int] = []

    def render(self: Any, *arguments: Any) -> bytes:
        if not seen:
            seen.append(0)
            seen.append(in_parallel(1, press)[0].status_code)
        return act(self, *arguments)

    def press() -> Any:
        try:
            return alice.pay("deposits", TEN, "k")
        finally:
            connections.close_all()

    monkeypatch.setattr(JSONRenderer, "render", render)
    assert alice.pay("deposits", TEN, "k").status_code == 201
    assert seen[1] == 409


def test_the_secret_of_a_new_key_is_kept_nowhere(alice: Program) -> None:
    made = alice.pay("keys", {"name": "robot", "scopes": ["read"]}).json()
    assert Program(made["secret"]).get("me").json()["scopes"] == ["read"]
    assert not ReplayedRequest.objects.exists()
    assert "secret" not in alice.get(f"keys/{made['id']}").json()
