"""A dispute through the API: clocks, evidence, desk, awards, precedents; strangers see nothing."""

import base64
from typing import Any

import pytest
from django.utils.timezone import now as clock

from pacts.models import Dispute
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.market import Market, one_of_everything
from tests.pacts import cases

pytestmark = pytest.mark.django_db

REASONS = "Half of the answers were what the pact promised, and half were not."


@pytest.fixture
def market() -> Market:
    return one_of_everything()


def exhibit(body: bytes, kind: str = "text/plain") -> dict[str, Any]:
    return {"kind": kind, "title": "A log", "body": base64.b64encode(body).decode()}


def test_a_dispute_says_its_deadlines_and_what_silence_would_mean(market: Market) -> None:
    shown = program_of(market.alice).get(f"disputes/{market.ids['dispute']}").json()
    names = [clock["name"] for clock in shown["deadlines"]]
    assert (shown["state"], names) == ("opened", ["opened", "backstop"])
    assert shown["deadlines"][0]["whose"] == "buyer"
    assert shown["deadlines"][0]["due_at"] == shown["answer_by_at"]


def test_evidence_is_brought_listed_and_taken_home_by_those_of_the_case_alone(
    market: Market,
) -> None:
    alice, mallory = program_of(market.alice), program_of(cast.mallory())
    path = f"disputes/{market.ids['dispute']}/exhibits"
    made = alice.post(path, exhibit(b"it was wrong"))
    assert made.status_code == 201, made.content
    assert made.json()["digest"].startswith("sha256:")
    assert len(alice.get(path).json()["results"]) == 2
    body = program_of(cast.carol()).get(f"exhibits/{made.json()['id']}/body")
    assert body.content == b"it was wrong"
    assert "sandbox" in body["Content-Security-Policy"]
    assert mallory.get(path).status_code == 404
    assert mallory.get(f"exhibits/{made.json()['id']}/body").status_code == 404
    assert mallory.post(path, exhibit(b"x")).status_code == 404


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (exhibit(b"<svg onload=alert(1)>", "image/png"), 422),
        ({"kind": "text/html", "title": "x", "body": "eA=="}, 422),
        ({"kind": "text/plain", "title": "x", "body": "no base64"}, 422),
        (exhibit(b"x" * 600_000), 422),
        ({"kind": "text/plain", "title": "x", "body": "eA==" * 900_000}, 413),
    ],
)
def test_evidence_of_another_kind_or_too_large_is_refused(
    market: Market, sent: dict[str, Any], status: int
) -> None:
    answer = program_of(market.alice).post(f"disputes/{market.ids['dispute']}/exhibits", sent)
    assert answer.status_code in (400, status), answer.content
    assert answer.status_code < 500


def test_a_case_goes_from_both_sides_over_the_desk_to_an_appeal(market: Market) -> None:
    alice, bob = program_of(market.alice), program_of(market.bob)
    carol, dora = (
        program_of(cast.carol()),
        program_of(cast.actor("dora", is_adjudicator=True)),
    )
    Dispute.objects.update(ground="scope", recheck=None)
    path = f"disputes/{market.ids['dispute']}"
    early = carol.pay(f"{path}/ruling", ruling(5_000))
    assert (early.status_code, early.json()["type"]) == (409, "urn:earnest:problem:not-yet-ripe")
    cases.heard(Dispute.objects.get(pk=market.ids["dispute"]), now=clock())
    assert carol.post(f"{path}/assignment").json()["assigned"] is True
    assert carol.get("disputes?assigned=true").json()["results"][0]["id"] == market.ids["dispute"]
    assert carol.pay(f"{path}/ruling", ruling(5_000)).status_code == 201
    asked = bob.pay(f"{path}/appeal", {"statement": "Nobody looked at the second half of it."})
    assert asked.json()["state"] == "appealed", asked.content
    for side in (alice, bob):
        assert side.post(f"{path}/rest").status_code == 201
    own = carol.pay(f"{path}/ruling", ruling(6_000))
    assert (own.status_code, own.json()["type"]) == (
        403,
        "urn:earnest:problem:conflict-of-interest",
    )
    assert dora.pay(f"{path}/ruling", ruling(6_000)).json()["level"] == 2
    levels = [one["level"] for one in alice.get(f"{path}/rulings").json()["results"]]
    assert sorted(levels) == [1, 2]
    states = [one["state"] for one in alice.get(f"{path}/steps").json()["results"]]
    assert "challenge_window" in states


def ruling(award_bps: int) -> dict[str, Any]:
    return {"award_bps": award_bps, "clauses": ["accuracy"], "reasons": REASONS}


def test_an_award_is_worked_out_before_anybody_rules(market: Market) -> None:
    alice, path = program_of(market.alice), f"disputes/{market.ids['dispute']}/award"
    shown = alice.get(f"{path}?share_bps=6250").json()
    assert (shown["released"], shown["fee"], shown["refunded"]) == ("5938", "312", "3750")
    assert alice.get(f"{path}?share_bps=10001").status_code in (400, 422)
    assert program_of(cast.mallory()).get(f"{path}?share_bps=1").status_code == 404


def test_rates_are_told_to_whom_they_are_about(market: Market) -> None:
    shown = program_of(market.bob).get("dispute-rates").json()
    assert (shown["as_builder"]["cases"], shown["as_builder"]["filed"]) == (2, 1)
    assert shown["as_builder"]["dispute_bps"] == 5_000
    assert shown["as_adjudicator"] is None
    carol = program_of(cast.carol()).get("dispute-rates").json()
    assert carol["as_adjudicator"]["rulings"] == 0


def test_a_step_back_is_for_good(market: Market) -> None:
    carol, path = program_of(cast.carol()), f"disputes/{market.ids['dispute']}"
    carol.post(f"{path}/assignment")
    assert carol.post(f"{path}/recusal", {"reason": "I know them."}).json()["assigned"] is False
    assert carol.post(f"{path}/assignment").status_code == 403


def test_precedents_are_public_and_found_by_words_and_beside_a_case(market: Market) -> None:
    nobody = Program()
    assert len(nobody.get("precedents?q=promised").json()["results"]) == 1
    assert nobody.get("precedents?q=unicorn").json()["results"] == []
    assert nobody.get(f"precedents/{market.ids['precedent']}").json()["award_bps"] == 5_000
    near = program_of(cast.carol()).get(f"disputes/{market.ids['dispute']}/similar")
    assert near.json()["results"] == []  # its own is not similar to itself


def test_clauses_the_pact_does_not_have_cannot_be_contested(market: Market) -> None:
    answer = program_of(market.alice).pay(
        f"milestones/{market.ids['milestone']}/dispute",
        {"ground": "performance", "statement": "All of it.", "clauses": ["nonsense"]},
    )
    assert answer.status_code in (409, 422)


def test_labels_become_a_report_and_nonsense_is_told_what_to_do() -> None:
    carol = program_of(cast.carol())
    table = b"item,oracle,judge\n1,pass,pass\n2,fail,pass\n"
    sent = {"name": "Panel", "content": base64.b64encode(table).decode()}
    made = carol.post("agreement-reports", sent)
    assert made.status_code == 201, made.content
    assert made.json()["report"]["judges"][0]["wrong_passes"] == 1
    refused = carol.post("agreement-reports", {**sent, "content": base64.b64encode(b"x").decode()})
    assert (refused.status_code, "header" in refused.json()["detail"]) == (422, True)
    assert program_of(cast.mallory()).get("agreement-reports").status_code == 403
