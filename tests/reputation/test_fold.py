"""Which evidence counts, for whom, and what cannot be hidden."""

from itertools import pairwise
from typing import Any

from reputation.ageing import weight
from reputation.credibility import (
    ESTABLISHED,
    FULL_TIES,
    LEAST_PERMILLE,
    MOST_UNITS,
    Buyer,
    Tie,
    candour,
    permille,
)
from reputation.fold import Move, State, fold
from reputation.tallies import Key, VersionKey
from tests.reputation.cast import (
    AGENT,
    ALICE,
    BOB,
    NOON,
    VERSION,
    changed,
    clause,
    days,
    disputed,
    fact,
    ruled,
    settlement,
    started,
    verdict,
)

KEY = Key(AGENT, VERSION, "accuracy")
RECORD = VersionKey(AGENT, VERSION)


def hire(
    passes: int,
    failures: int,
    *,
    milestone: str = "mst_1",
    buyer: str = ALICE,
    builder: str = BOB,
    at: Any = NOON,
    **changes: Any,
) -> list[dict[str, Any]]:
    found = fact(verdict(clause(passes, failures, **changes), milestone=milestone, at=at))
    settled = settlement(found["id"], milestone=milestone, buyer=buyer, builder=builder, at=at)
    return [found, fact(settled)]


def counted(state: State) -> tuple[int, int]:
    tally = state.tallies.get(KEY)
    return (tally.passes, tally.failures) if tally else (0, 0)


def credited(state: State) -> float:
    tally = state.tallies[KEY]
    return (tally.credited_passes + tally.credited_failures) / weight(NOON) / 1000


# --- what cannot be hidden ------------------------------------------------------------------------


def test_a_breach_that_was_cured_afterwards_still_counts() -> None:
    first = fact(verdict(clause(10, 40), milestone="mst_1"))
    second = fact(verdict(clause(50, 0), milestone="mst_1", at=NOON + days(1)))
    settled = fact(settlement(second["id"], milestone="mst_1"))
    assert counted(fold(State(), [first, second, settled])) == (60, 40)


def test_a_verdict_that_a_ruling_overturned_counts_nowhere_and_those_before_it_do() -> None:
    first = fact(verdict(clause(10, 40), milestone="mst_1"))
    second = fact(verdict(clause(0, 50), milestone="mst_1", at=NOON + days(1)))
    settled = fact(settlement(None, milestone="mst_1", ruling="evd_1"))
    state = fold(State(), [first, second, settled])
    assert counted(state) == (10, 40)
    assert state.unsettled == {}


def test_pulling_out_while_the_evaluation_runs_does_not_hide_what_it_finds() -> None:
    begun = fact(started("evl_1", milestone="mst_1"))
    settled = fact(settlement(None, milestone="mst_1"))
    late = fact(verdict(clause(3, 47), milestone="mst_1", evaluation="evl_1", at=NOON + days(1)))
    assert counted(fold(State(), [begun, settled, late])) == (3, 47)


def test_the_verdict_of_another_milestone_waits() -> None:
    other = fact(verdict(clause(50, 0), milestone="mst_2"))
    state = fold(State(), [other, *hire(40, 10)])
    assert counted(state) == (40, 10)
    assert list(state.unsettled) == [other["id"]]


def test_every_evaluation_is_on_record_from_its_start_whoever_ran_it() -> None:
    facts = [fact(started(f"evl_{n}", independence="self")) for n in range(27)]
    facts.append(fact(verdict(clause(50, 0), independence="self", evaluation="evl_0")))
    record = fold(State(), facts).records[RECORD]
    assert (record.started, record.own_started, record.concluded, record.verdicts) == (27, 27, 1, 0)


def test_evaluations_that_failed_through_others_cost_the_agent_nothing() -> None:
    facts = hire(0, 0, errors=50, nulls=20, outcome="undetermined")
    assert counted(fold(State(), facts)) == (0, 0)


# --- buyers' weight -------------------------------------------------------------------------------


def test_a_buyer_without_a_record_counts_for_little_however_much_it_brings() -> None:
    few, many = fold(State(), hire(10, 0)), fold(State(), hire(100_000, 0))
    assert credited(few) == credited(many) == MOST_UNITS * LEAST_PERMILLE / 1000


def test_hiring_the_same_agent_again_adds_nothing_to_what_one_buyer_counts() -> None:
    facts = [one for n in range(9) for one in hire(50, 0, milestone=f"mst_{n}")]
    assert credited(fold(State(), facts)) == MOST_UNITS * LEAST_PERMILLE / 1000


def test_what_a_buyer_sees_now_displaces_what_it_saw_before() -> None:
    facts = hire(50, 0) + hire(0, 50, milestone="mst_2")
    tally = fold(State(), facts).tallies[KEY]
    assert tally.credited_passes == 0
    assert tally.credited_failures > 0


def test_shares_of_buyers_add_up_to_what_is_credited() -> None:
    facts = [
        one for n in range(9) for one in hire(n + 1, 3, milestone=f"mst_{n}", buyer=f"pty_{n % 4}")
    ]
    state = fold(State(), facts)
    tally = state.tallies[KEY]
    assert tally.buyers == 4
    assert tally.credited_passes == sum(share.passes for share in state.shares.values())
    assert tally.credited_failures == sum(share.failures for share in state.shares.values())


def well_known(builder: str) -> list[dict[str, Any]]:
    """A builder that enough others hired."""
    return [
        one
        for n in range(ESTABLISHED)
        for one in hire(5, 0, milestone=f"mst_{builder[4:]}{n}", buyer=f"pty_{n}", builder=builder)
    ]


def test_weight_is_earned_with_other_builders_that_others_established() -> None:
    state = fold(State(), well_known("pty_carol"))
    assert permille(state.buyers["pty_1"], Tie()) == LEAST_PERMILLE
    state = fold(state, hire(5, 0, milestone="mst_0", builder="pty_carol"))
    assert state.buyers[ALICE].ties == 1
    assert permille(state.buyers[ALICE], Tie()) > LEAST_PERMILLE


def test_a_builder_does_not_vouch_for_its_own_buyers() -> None:
    state = fold(State(), well_known(BOB) + hire(5, 0, milestone="mst_0"))
    (tie,) = [tie for key, tie in state.ties.items() if key == (ALICE, BOB)]
    assert tie.counts
    assert permille(state.buyers[ALICE], tie) == LEAST_PERMILLE


def test_a_ring_that_hires_only_itself_earns_nothing_until_it_is_as_large_as_a_market() -> None:
    facts = [
        one
        for buyer in range(ESTABLISHED)
        for builder in range(4)
        for one in hire(
            5,
            0,
            milestone=f"mst_{buyer}x{builder}",
            buyer=f"pty_{buyer}",
            builder=f"pty_r{builder}",
        )
    ]
    assert {buyer.ties for buyer in fold(State(), facts).buyers.values()} == {0}


def test_weight_grows_with_the_square_and_is_full_at_last() -> None:
    weights = [permille(Buyer(ties=n), Tie()) for n in range(FULL_TIES + 3)]
    assert weights[0] == LEAST_PERMILLE
    assert weights[FULL_TIES:] == [1000] * 3
    steps = [after - before for before, after in pairwise(weights[: FULL_TIES + 1])]
    assert steps == sorted(steps)


def test_disputes_that_rulings_did_not_uphold_cost_weight_and_upheld_ones_do_not() -> None:
    fair = permille(Buyer(ties=FULL_TIES, rulings=6, upheld=6), Tie())
    quarrelsome = permille(Buyer(ties=FULL_TIES, rulings=6, upheld=0), Tie())
    assert (fair, quarrelsome) == (1000, 250)


def test_tasks_kinder_than_the_hidden_ones_cost_weight() -> None:
    def seen(own: int, hidden: int) -> int:
        return candour(Buyer(own_passes=own, own_units=100, canary_passes=hidden, canary_units=50))

    assert seen(95, 47) == seen(60, 47) == 1000
    assert 0 < seen(95, 35) < 1000
    assert seen(100, 25) == 0


# --- disputes -------------------------------------------------------------------------------------


def test_a_dispute_counts_when_it_is_ruled_and_not_when_it_is_filed() -> None:
    found, settled = hire(50, 0)
    filed = fold(State(), [found, fact(disputed("dsp_1"))])
    assert RECORD not in filed.records or filed.records[RECORD].disputes == 0
    lost = fold(filed, [fact(ruled("dsp_1", share=0, verdict=found["id"])), settled])
    assert (lost.records[RECORD].rulings, lost.records[RECORD].disputes) == (1, 1)
    won = fold(filed, [fact(ruled("dsp_1", share=10_000, verdict=found["id"])), settled])
    assert (won.records[RECORD].rulings, won.records[RECORD].disputes) == (1, 0)


def test_a_buyer_is_known_by_its_disputes_what_became_of_them_and_its_silence() -> None:
    found, settled = hire(50, 0)
    state = fold(State(), [found, fact(disputed("dsp_1"))])
    state = fold(state, [fact(ruled("dsp_1", share=2_000, verdict=found["id"])), settled])
    silent = fact(settlement(None, milestone="mst_9", buyer=ALICE, builder=BOB, silently=True))
    alice = fold(state, [silent]).buyers[ALICE]
    assert (alice.hires, alice.disputes, alice.rulings, alice.upheld) == (2, 1, 1, 1)
    assert alice.silences == 1


def test_a_builders_dispute_and_a_review_the_pact_asks_for_are_not_the_buyers() -> None:
    facts = [fact(disputed("dsp_1", by=BOB, side="builder"))]
    facts += [fact(disputed("dsp_2", ground="human_review"))]
    assert fold(State(), facts).buyers == {}


# --- hidden tasks ---------------------------------------------------------------------------------


def test_dropping_a_verdict_by_agreement_keeps_what_the_hidden_tasks_found() -> None:
    found = fact(verdict(clause(50, 0), milestone="mst_1", canaries=(10, 1)))
    agreed = fold(State(), [found, fact(settlement(None, milestone="mst_1"))])
    assert counted(agreed) == (0, 0)
    assert agreed.tallies[KEY].canary_failures == 9 * weight(NOON)
    ruling = fact(settlement(None, milestone="mst_1", ruling="evd_1"))
    assert fold(State(), [found, ruling]).tallies == {}


def test_hidden_tasks_speak_for_the_weakest_dimension_and_for_nobody_elses() -> None:
    parts = [clause(50, 0), clause(40, 10, dimension="scope")]
    found = fact(verdict(*parts, milestone="mst_1", canaries=(10, 8)))
    settled = fact(settlement(found["id"], milestone="mst_1", buyer=ALICE, builder=BOB))
    state = fold(State(), [found, settled])
    assert state.tallies[KEY].canary_passes == 0
    assert state.tallies[Key(AGENT, VERSION, "scope")].canary_passes == 8 * weight(NOON)
    alice = state.buyers[ALICE]
    assert (alice.own_passes, alice.own_units) == (40, 50)
    assert (alice.canary_passes, alice.canary_units) == (8, 10)


# --- why ------------------------------------------------------------------------------------------


def test_everything_that_moves_a_standing_is_told_with_its_evidence() -> None:
    moves: list[Move] = []
    found, settled = hire(48, 2)
    fold(State(), [found, settled], tell=moves.append)
    (move,) = moves
    assert (move.evidence_id, move.cause_id) == (found["id"], settled["id"])
    assert move.changes == {"accuracy": (48, 2)}
    assert move.tallies[KEY].passes == 48


# --- something else answers than was measured -----------------------------------------------------


def test_another_model_makes_the_version_stale_from_then_on() -> None:
    told = fact(changed(at=NOON + days(1)))
    record = fold(State(), [*hire(50, 0), told]).records[RECORD]
    assert record.is_stale
    assert record.changed_evidence == told["id"]


def test_another_version_makes_the_one_that_was_hired_stale_and_not_itself() -> None:
    told = fact(changed("version.changed", version="agv_2", hired=VERSION))
    records = fold(State(), [*hire(50, 0), told]).records
    assert records[RECORD].is_stale
    assert VersionKey(AGENT, "agv_2") not in records


def test_only_a_verdict_reached_after_the_change_ends_staleness() -> None:
    told = fact(changed(at=NOON + days(1)))
    late = hire(50, 0, milestone="mst_2", at=NOON)
    assert fold(State(), [told, *late]).records[RECORD].is_stale
    anew = hire(50, 0, milestone="mst_3", at=NOON + days(2))
    assert not fold(State(), [told, *late, *anew]).records[RECORD].is_stale


def test_a_change_moves_no_count() -> None:
    before = fold(State(), hire(40, 10))
    after = fold(before, [fact(changed())])
    assert after.tallies == before.tallies
