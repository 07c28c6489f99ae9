"""Breach, cure, second look: each way a cured escrow settles, its receipt and its evidence."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from pacts.engagements import RevisionRefused
from reputation.models import Evidence
from settlement import escrow as escrows
from settlement import receipts
from settlement.audit import audit
from settlement.models import Escrow
from settlement.settlements import settle, settle_due
from tests.settlement.hires import ACCEPTANCE, CURE, EXTENSION, START, TICK, Hire, funded

pytestmark = pytest.mark.django_db
JUDGED = START + timedelta(hours=1)
REVISED = JUDGED + timedelta(hours=2)
AGAIN = REVISED + timedelta(hours=1)


def look(made: Hire, now: datetime) -> Escrow:
    return settle(escrow_id=made.escrow.pk, now=now)


def judge(made: Hire, outcome: str, *, share: int, at: datetime, mark: str) -> str:
    """A verdict with an evidence id of its own; returns that id."""
    proof = f"evd_0190f3c2a1b27c3d8e4f5a6b7c8d9e{mark}"
    made.judge(outcome, share=share, at=at, proof=proof)
    return proof


def revise(made: Hire, now: datetime) -> None:
    version = made.engagement.agent_version
    escrows.revise(escrow=made.escrow, by=made.bob.party, agent_version=version, now=now)


def revised(**changes: Any) -> Hire:
    """Breached at JUDGED with 60 % earned, delivered again at REVISED."""
    made = funded(price=9_999, **changes)
    judge(made, "breached", share=6_000, at=JUDGED, mark="01")
    look(made, JUDGED)
    revise(made, REVISED)
    return made


def body_of(made: Hire) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(made.escrow.receipt.body)
    assert receipts.holds(made.escrow.receipt)
    return body


def divided(made: Hire) -> tuple[int, int, int]:
    """What the receipt's arithmetic gives builder, fee and buyer; its transfers must agree."""
    body = body_of(made)
    sums = body["arithmetic"]
    paid = {entry["account"]: entry["amount"] for entry in body["transfers"][1]["entries"]}
    builder, buyer = paid.get(f"party:{body['builder']}", 0), paid.get(f"party:{body['buyer']}", 0)
    fee = sum(amount for place, amount in paid.items() if place.startswith("fees"))
    shown = (sums["released"], sums["fee"], sums["refunded"])
    assert shown == (builder, fee, buyer)
    assert sum(shown) == sums["amount"]
    assert sums["earned"] == sums["released"] + sums["fee"]
    return shown


def kinds() -> list[str]:
    return list(Evidence.objects.order_by("id").values_list("kind", flat=True))


def test_a_cure_that_is_met_pays_its_own_share_and_not_the_breached_ones() -> None:
    made = revised()
    second = judge(made, "met", share=9_000, at=AGAIN, mark="02")
    assert look(made, AGAIN).state == "held"
    assert made.escrow.acceptance_ends_at == AGAIN + ACCEPTANCE
    assert settle_due(now=AGAIN + ACCEPTANCE) == 0
    assert settle_due(now=AGAIN + ACCEPTANCE + TICK) == 1
    assert divided(made) == (8_549, 450, 1_000)
    body = body_of(made)
    assert (body["decision"]["outcome"], body["decision"]["code"]) == ("split", "silence")
    assert body["verdict"]["outcome"] == "met"
    assert body["evidence"][1:] == ["evd_0190f3c2a1b27c3d8e4f5a6b7c8d9e01", second]
    assert audit(now=AGAIN + ACCEPTANCE + TICK) == []


def test_the_receipt_of_a_cure_tells_both_deliveries_in_order() -> None:
    made = revised()
    judge(made, "met", share=10_000, at=AGAIN, mark="02")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=AGAIN)
    assert [
        (one["number"], one["outcome"], one["earned_share_bps"])
        for one in body_of(made)["deliveries"]
    ] == [(0, "breached", 6_000), (1, "met", 10_000)]
    assert divided(made) == (9_499, 500, 0)


def test_the_log_says_withheld_once_and_settles_on_the_verdict_that_cured() -> None:
    made = revised()
    look(made, REVISED)
    second = judge(made, "met", share=10_000, at=AGAIN, mark="02")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=AGAIN)
    assert (kinds().count("escrow.withheld"), kinds().count("escrow.settled")) == (1, 1)
    settled = Evidence.objects.get(kind="escrow.settled").read()["facts"]
    assert settled["verdict_evidence"] == second


@pytest.mark.parametrize(
    ("on_breach", "paid"), [("refund", (0, 0, 9_999)), ("prorate", (3_800, 200, 5_999))]
)
def test_a_cure_that_breaches_again_has_a_window_of_its_own_and_then_the_pacts_rule(
    on_breach: str, paid: tuple[int, int, int]
) -> None:
    made = revised(on_breach=on_breach)
    judge(made, "breached", share=4_000, at=AGAIN, mark="02")
    assert look(made, AGAIN).state == "withheld"
    assert made.escrow.cure_ends_at == AGAIN + CURE
    assert settle_due(now=AGAIN + CURE) == 0
    assert settle_due(now=AGAIN + CURE + TICK) == 1
    assert divided(made) == paid
    assert body_of(made)["decision"]["fault"] == "builder"


def test_after_the_agreed_revisions_no_other_is_taken_and_the_window_still_ends_it() -> None:
    made = revised()
    judge(made, "breached", share=0, at=AGAIN, mark="02")
    with pytest.raises(RevisionRefused, match="1 revision"):
        revise(made, AGAIN)
    assert look(made, AGAIN + CURE + TICK).state == "refunded"


def test_each_agreed_revision_may_cure() -> None:
    made = revised(max_revisions=2)
    judge(made, "breached", share=0, at=AGAIN, mark="02")
    look(made, AGAIN)
    revise(made, AGAIN + CURE)
    third = judge(made, "met", share=10_000, at=AGAIN + CURE + TICK, mark="03")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=AGAIN + CURE + TICK)
    outcomes = [one["outcome"] for one in body_of(made)["deliveries"]]
    assert outcomes == ["breached", "breached", "met"]
    assert body_of(made)["evidence"][-1] == third
    assert divided(made) == (9_499, 500, 0)


def test_a_cure_nobody_tried_ends_with_its_window_and_names_the_one_verdict() -> None:
    made = funded(price=9_999)
    only = judge(made, "breached", share=6_000, at=JUDGED, mark="01")
    look(made, JUDGED)
    assert look(made, JUDGED + CURE + TICK).reason == "breach_not_cured"
    assert body_of(made)["evidence"][1:] == [only]
    assert divided(made) == (0, 0, 9_999)


def test_a_revision_at_the_last_moment_counts_though_its_verdict_comes_after_the_window() -> None:
    made = funded(price=9_999)
    judge(made, "breached", share=6_000, at=JUDGED, mark="01")
    revise(made, JUDGED + CURE)
    assert look(made, JUDGED + CURE + TICK).reason == "revision_under_evaluation"
    judge(made, "met", share=10_000, at=JUDGED + CURE + 2 * TICK, mark="02")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED + CURE + 3 * TICK)
    assert made.escrow.state == "released"


def test_a_revision_nobody_judged_in_time_is_the_platforms_fault_and_a_persons_case() -> None:
    made = revised()
    due = made.delivery.evaluation.deadline_at
    assert look(made, due).state == "withheld"
    assert look(made, due + TICK).state == "frozen"
    ends = made.milestone.disputes.get().backstop_at
    assert look(made, ends + TICK).state == "refunded"
    body = body_of(made)
    assert [one["outcome"] for one in body["deliveries"]] == ["breached", "undetermined"]
    assert body["decision"]["fault"] != "builder"


def test_a_revision_that_lacks_proof_is_extended_and_ends_by_time() -> None:
    made = revised()
    made.judge("undetermined", share=4_000, rule="extend", at=AGAIN)
    assert look(made, AGAIN).reason == "extended"
    assert look(made, AGAIN + EXTENSION).state == "held"
    assert look(made, AGAIN + EXTENSION + TICK).reason == "still_not_proved"
    assert divided(made) == (0, 0, 9_999)


def test_a_bond_survives_a_breach_that_was_cured() -> None:
    made = revised(bond=1_000)
    judge(made, "met", share=10_000, at=AGAIN, mark="02")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=AGAIN)
    assert body_of(made)["bond"]["outcome"] == "returned"
    assert made.balances() == (0, 9_499 + 1_000, 500)
    assert audit(now=AGAIN) == []
