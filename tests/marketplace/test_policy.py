"""The platform's policy: versions, bounds, and new work alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now as clock
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from marketplace import policy
from marketplace.models import PolicyProposal
from marketplace.policy import PolicyChanged, PolicyNeedsSecond, PolicyRefused
from marketplace.policy_effects import effect_of, effects_of
from marketplace.policy_terms import (
    MONEY_TERMS,
    SETTINGS,
    bands_of,
    faults,
    needs_second,
    valued,
)
from pacts.models import Dispute, Engagement, PolicyVersion, User
from pacts.procedure.limits import LONGEST_SECONDS, RULES
from pacts.procedure.ruleset import rules_of
from reputation.models import Evidence
from settlement import limits, meters
from settlement.cooldowns import COOLDOWNS, cooldowns_of
from settlement.exposure import NEWCOMER, PUBLISHED, steps_of
from settlement.limits import room_for
from settlement.money import Money
from settlement.payouts import request_payout
from settlement.refusals import ExposureExceeded
from settlement.settlements import settle
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.market import one_of_everything
from tests.settlement.hires import START, TICK, funded, hire
from tests.settlement.metered import running

WHY = "The desk asked for more time."
USUAL = valued({})


def staff(name: str) -> User:
    return cast.actor(name, is_staff=True).user


def changed(seen: int = 0, *, now: datetime | None = None, **changes: int) -> PolicyVersion:
    """By two people where it takes two."""
    at = now or clock()
    asked: dict[str, Any] = {"changes": changes, "reason": WHY, "seen": seen, "now": at}
    try:
        return policy.change(**asked, by=staff(f"one{seen}"))
    except PolicyNeedsSecond:
        made = policy.propose(**asked, by=staff(f"first{seen}"))
        return policy.confirm(proposal=made, by=staff(f"second{seen}"), now=at)


def test_the_defaults_are_the_rules_as_published() -> None:
    assert rules_of(USUAL) == RULES
    assert faults(USUAL) == {}


@given(st.dictionaries(st.sampled_from(sorted(SETTINGS)), st.integers(0, 2_000)))
@hypothesis_settings(max_examples=150, deadline=None)
def test_whatever_is_allowed_never_makes_money_wait_longer_than_was_planned(
    values: dict[str, int],
) -> None:
    whole = valued(values)
    if not faults(whole):
        rules = rules_of(whole)
        for periods in (rules.full, rules.small):
            assert periods.longest.total_seconds() <= LONGEST_SECONDS


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"fee_bps": 3_001}, "fee_bps"),
        ({"full_challenge": 11}, "full_challenge"),
        ({"full_backstop": 19}, "full_backstop"),
        ({"full_backstop": 31}, "full_appeal"),
        ({"small_claim": 6_000}, "small_claim"),
        ({"deposit_after_2": 100}, "deposit_after_2"),
        ({"open_after_3": 4}, "open_after_3"),
        ({"band_1_above": 10_000, "band_1_bps": 501}, "band_1_bps"),
        ({"band_2_above": 10_000}, "band_2_above"),
        ({"band_1_above": 10_000, "band_2_above": 10_000}, "band_2_above"),
        ({"exposure_breached": 25_001}, "exposure_breached"),
        ({"exposure_1_limit": 24_999}, "exposure_1_limit"),
        ({"exposure_2_units": 20}, "exposure_2_units"),
        ({"exposure_2_lower": 4_999}, "exposure_2_lower"),
        ({"payout_wait_0": 11}, "payout_wait_0"),
        ({"payout_wait_2": 8}, "payout_wait_2"),
        ({"payout_age_2": 7}, "payout_age_2"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(changes: dict[str, int], key: str) -> None:
    assert key in faults(USUAL | changes)


def test_limits_keep_their_proportions_in_every_currency() -> None:
    rules = rules_of(USUAL | {"small_claim": 100})
    assert rules.small_claim.of("EUR") == 10_000
    assert rules.small_claim.of("JPY") == 15_000


@pytest.mark.django_db
def test_a_change_is_evidence_and_binds_engagements_proposed_from_then_on() -> None:
    one_of_everything()
    before = Engagement.objects.order_by("proposed_at")[0]
    row = changed(fee_bps=700, full_negotiation=24)
    told = Evidence.objects.get(pk=row.evidence_id).read()
    assert told["kind"] == "policy.changed"
    assert told["facts"]["changes"] == [
        {"key": "fee_bps", "before": 500, "after": 700},
        {"key": "full_negotiation", "before": 48, "after": 24},
    ]
    assert policy.rules_for(before) == RULES
    assert policy.at(row.changed_at).fee_bps == 700
    assert policy.at(row.changed_at - timedelta(microseconds=1)).fee_bps == 500


@pytest.mark.django_db
def test_two_who_saw_the_same_version_cannot_both_change_it() -> None:
    changed(fee_bps=700)
    with pytest.raises(PolicyChanged):
        changed(seen=7, fee_bps=800)
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyVersion.objects.update(values={})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "says"),
    [({}, "nothing would change"), ({"fee": 1}, "no setting"), ({"fee_bps": 9_999}, "between")],
)
def test_a_change_that_says_nothing_or_nonsense_is_refused(
    changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(PolicyRefused, match=says):
        changed(**changes)


@pytest.mark.django_db
def test_staff_change_it_through_the_api_and_everybody_reads_it() -> None:
    erin: Program = program_of(cast.actor("erin", is_staff=True))
    body: dict[str, Any] = {"changes": {"full_negotiation": 24}, "reason": WHY, "seen": 0}
    assert erin.post("policy", body).status_code == 201
    stale = erin.post("policy", {**body, "changes": {"funding": 48}})
    assert (stale.status_code, stale.json()["type"]) == (409, "urn:earnest:problem:policy-changed")
    shown = Program().get("policy").json()
    assert (shown["number"], shown["values"]["full_negotiation"]) == (1, 24)
    assert program_of(cast.mallory()).post("policy", body).status_code == 403


@pytest.mark.django_db
def test_money_terms_are_changed_by_two_people_through_the_api() -> None:
    erin: Program = program_of(cast.actor("erin", is_staff=True))
    second: Program = program_of(cast.actor("second", is_staff=True))
    body: dict[str, Any] = {"changes": {"fee_bps": 650}, "reason": WHY, "seen": 0}
    alone = erin.post("policy", body)
    assert (alone.status_code, alone.json()["type"]) == (
        403,
        "urn:earnest:problem:policy-needs-second",
    )
    made = erin.post("policy/proposals", body)
    assert made.status_code == 201, made.json()
    there = f"policy/proposals/{made.json()['id']}"
    told = second.get(there).json()["effects"]
    assert told == [
        {
            "key": "fee_bps",
            "title": "Fee on what was earned",
            "before": "5 %",
            "after": "6.5 %",
            "sentence": "Of 1,000.00 earned the platform keeps 65.00 instead of 50.00.",
            "is_money": True,
        }
    ]
    assert erin.post(f"{there}/decision", {"confirmed": True}).status_code == 403
    assert Program().get("policy").json()["values"]["fee_bps"] == 500
    assert second.post(f"{there}/decision", {"confirmed": True}).status_code == 201
    assert Program().get("policy").json()["values"]["fee_bps"] == 650
    assert Program().get("policy/versions").json()["results"][0]["effects"] == told
    assert program_of(cast.mallory()).get(there).status_code == 403
    assert second.post(f"{there}/decision", {"confirmed": True}).status_code == 409


@pytest.mark.django_db
def test_a_proposal_is_void_once_the_policy_changed_lapsed_or_was_taken_back() -> None:
    by, now = staff("erin"), clock()
    asked: dict[str, Any] = {"reason": WHY, "seen": 0, "by": by, "now": now}
    first = policy.propose(changes={"fee_bps": 600}, **asked)
    late = policy.propose(changes={"fee_bps": 650}, **asked)
    taken = policy.propose(changes={"fee_bps": 700}, **asked)
    second = staff("second")
    policy.decline(proposal=taken, by=by, now=now)
    with pytest.raises(PolicyChanged, match="declined already"):
        policy.confirm(proposal=taken, by=second, now=now)
    with pytest.raises(PolicyChanged, match="lapsed"):
        policy.confirm(proposal=late, by=second, now=late.lapses_at + timedelta(microseconds=1))
    assert set(policy.waiting(now=now)) == {first, late}
    policy.confirm(proposal=late, by=second, now=late.lapses_at)
    with pytest.raises(PolicyChanged, match="since you opened it"):
        policy.confirm(proposal=first, by=second, now=now)
    assert not policy.waiting(now=now).exists()
    row = PolicyVersion.objects.get()
    assert (row.changed_by, row.seconded_by) == (by, second)
    assert Evidence.objects.get(pk=row.evidence_id).read()["facts"]["seconded"] is True


@pytest.mark.django_db
def test_the_database_lets_nobody_second_their_own_change() -> None:
    made = policy.propose(
        changes={"fee_bps": 600}, reason=WHY, seen=0, by=staff("erin"), now=clock()
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyProposal.objects.filter(pk=made.pk).update(
            state="confirmed", decided_by=made.proposed_by, decided_at=clock()
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyVersion.objects.create(
            number=1,
            reason=WHY,
            changed_by=made.proposed_by,
            seconded_by=made.proposed_by,
            changed_at=clock(),
            evidence_id="evd_1",
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        made.delete()


def test_every_setting_tells_its_effect_in_one_sentence_with_both_figures() -> None:
    for key, one in SETTINGS.items():
        before, after = one.least, one.most
        told = effect_of(key, before, after)
        assert told.endswith("."), key
        assert "{" not in told, key
        (effect,) = effects_of(USUAL | {key: before}, {key: after})
        assert effect.is_money == needs_second({key: after})
        if not key.startswith(("fee", "band")):
            assert effect.before in told, key
            assert effect.after in told, key
    assert {"fee_bps", "exposure_new", "payout_wait_0", "deposit_after_3"} <= MONEY_TERMS
    assert "full_answer" not in MONEY_TERMS


def test_the_defaults_are_the_tables_as_published() -> None:
    assert steps_of(USUAL) == PUBLISHED
    assert cooldowns_of(USUAL) == COOLDOWNS
    assert bands_of(USUAL) == []


def test_a_new_band_of_the_fee_is_told_against_the_rate_that_held_there_before() -> None:
    told = effects_of(USUAL, {"band_1_above": 10_000, "band_1_bps": 300})
    assert [one.sentence for one in told] == [
        "What a milestone earns above 10,000 units falls into band 1.",
        "Of 1,000.00 earned in band 1 of the fee the platform keeps 30.00 instead of 50.00.",
    ]


@pytest.mark.django_db
def test_the_bands_of_the_fee_are_rows_of_the_policy() -> None:
    changed(band_1_above=10_000, band_1_bps=300, band_2_above=100_000, band_2_bps=100)
    held = policy.at(clock())
    assert held.fee_bands_in("EUR") == [(0, 500), (1_000_000, 300), (10_000_000, 100)]
    assert held.fee_bands_in("JPY") == [(0, 500), (1_000_000, 300), (10_000_000, 100)]
    assert held.fee_bands_in("KWD") == [(0, 500), (10_000_000, 300), (100_000_000, 100)]


@pytest.mark.django_db
def test_what_may_be_held_on_an_agent_is_that_of_the_engagements_own_moment() -> None:
    old = hire(price=2_000_000)
    row = changed(now=START + TICK, exposure_new=10_000)
    asked: dict[str, Any] = {
        "agent_id": old.engagement.agent_version.agent_id,
        "version_id": old.engagement.agent_version_id,
        "currency": "USD",
    }
    assert room_for(**asked, now=START).limit.amount == NEWCOMER
    assert room_for(**asked, now=row.changed_at).limit.amount == 1_000_000
    assert old.fund(now=START + timedelta(minutes=1)).state == "held"
    young = old.engagement
    young.proposed_at = row.changed_at
    with pytest.raises(ExposureExceeded, match=r"10,000\.00 it may carry"):
        limits.refuse_overexposed(amount=1, engagement=young, now=row.changed_at)


@pytest.mark.django_db
def test_money_added_to_a_budget_later_is_held_against_the_policy_of_that_moment() -> None:
    made = running(money=15_000)
    changed(now=START + TICK, exposure_new=100, exposure_breached=100)
    added: dict[str, Any] = {"meter": made.meter, "by": made.alice.party, "amount": 2_000}
    with pytest.raises(ExposureExceeded, match=r"100\.00 it may carry"):
        meters.top_up(**added, idempotency_key="t", now=START + TICK)
    assert made.now().funded == 10_000
    assert made.balances()[0] == 5_000


@pytest.mark.django_db
def test_a_payout_waits_as_the_policy_of_its_request_says() -> None:
    made = hire(money=1_000)
    asked: dict[str, Any] = {"party": made.alice.party, "money": Money(100, "USD")}
    now = clock()
    before = request_payout(**asked, idempotency_key="before", now=now)
    changed(now=now + TICK, payout_wait_0=7)
    after = request_payout(**asked, idempotency_key="after", now=now + TICK)
    assert after.not_before_at - after.requested_at == timedelta(days=7)
    before.refresh_from_db()
    assert before.not_before_at - before.requested_at == timedelta(days=10)


@pytest.mark.django_db
def test_a_review_the_sweep_opens_runs_under_the_policy_of_its_engagement() -> None:
    changed(now=START, full_evidence=100)
    made = funded()
    changed(seen=1, now=START + TICK, full_evidence=24)
    made.judge("undetermined", rule="human_review")
    settle(escrow_id=made.escrow.pk, now=START + timedelta(hours=2))
    review = Dispute.objects.get()
    assert review.due_at - review.opened_at == timedelta(hours=100)
    assert made.escrow.next_action_at == review.due_at
