"""The parts of every number add up to it, whatever happened."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from random import Random

import pytest

from reputation import contributions, evidence, indicators, queries, sequencer, standings
from reputation.contributions import OF_BUYERS, Contribution, NumberUnknown
from reputation.models import BuyerStanding, VersionRecord
from tests.reputation.cast import (
    AGENT,
    ALICE,
    BOB,
    MALLORY,
    NOON,
    VERSION,
    clause,
    days,
    disputed,
    record,
    ruled,
    settlement,
    started,
    verdict,
)

pytestmark = pytest.mark.django_db
BUYERS = (ALICE, MALLORY)
VERSIONS = (VERSION, "agv_bobs2")


def catch_up() -> None:
    while sequencer.sequence_batch():
        pass
    while standings.update_standings():
        pass


def claim(version: str, score: int) -> evidence.Draft:
    return evidence.Draft(
        kind="claim.recorded",
        subjects={"claim": f"clm_{score}", "agent": AGENT, "agent_version": version},
        facts={"benchmark": "sums", "score_bps": score},
        at=NOON,
    )


def one_hire(random: Random, number: int) -> None:
    """A hire with whatever may happen in it, in the order in which it happens."""
    milestone, evaluation, dispute = f"mst_{number}", f"evl_{number}", f"dsp_{number}"
    buyer, version, at = random.choice(BUYERS), random.choice(VERSIONS), NOON + days(number / 4)
    own = random.choice(["self", "platform", "platform", "platform"])
    record(started(evaluation, milestone=milestone, independence=own, at=at))
    clauses = [
        clause(random.randint(0, 40), random.randint(0, 5), dimension=name)
        for name in ("accuracy", "scope")
    ]
    outcome = random.choice(["met", "met", "breached", "undetermined"])
    (found,) = record(
        verdict(
            *clauses,
            version=version,
            independence=own,
            outcome=outcome,
            milestone=milestone,
            evaluation=evaluation,
            canaries=random.choice([None, (3, 2)]),
            at=at,
        )
    )
    named, overturned = found.pk, None
    if random.random() < 0.5:
        side, ground = random.choice(["buyer", "builder"]), random.choice(["scope", "human_review"])
        record(disputed(dispute, by=buyer if side == "buyer" else BOB, side=side, ground=ground))
        if random.random() < 0.8:
            share = random.choice([0, 5_000, 10_000])
            (overturned,) = record(ruled(dispute, share=share, verdict=found.pk))
            named = named if share == 10_000 else ""
    record(
        settlement(
            named or None,
            milestone=milestone,
            buyer=buyer,
            builder=random.choice([BOB, "pty_other"]),
            ruling=overturned.pk if overturned and not named else None,
            silently=random.random() < 0.3,
            at=at,
        )
    )


@pytest.fixture
def history() -> None:
    random = Random(20_260_301)
    record(claim(VERSION, 9_000), claim(VERSION, 8_500))
    for number in range(40):
        one_hire(random, number)
    catch_up()


def every(read: Callable[..., list[Contribution]], about: str) -> Iterator[Contribution]:
    """All pages, three pieces each."""
    before = ""
    while page := read(about=about, before=before, limit=3):
        yield from page
        before = page[-1].place


def summed(read: Callable[..., list[Contribution]], about: str) -> Counter[str]:
    parts = list(every(read, about))
    assert len({(one.evidence_id, one.cause_id) for one in parts}) == len(parts)
    sums: Counter[str] = Counter()
    for one in parts:
        sums.update(one.adds)
    return sums


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("version", VERSIONS)
def test_the_parts_of_every_number_of_an_agent_add_up_to_it(version: str) -> None:
    read = partial(contributions.of_agent, agent_id=AGENT, version_id=version)
    found = queries.standing_of(agent_id=AGENT, version_id=version, now=NOON + days(11))
    assert set(found.dimensions) == {"accuracy", "scope"}
    for name, one in found.dimensions.items():
        assert summed(read, name) == Counter(kept=one.passes, failed=one.failures)
        newest = next(every(read, name))
        assert newest.at >= one.last_evidence_at
    assert summed(read, "everything").total() == found.composite.units
    row = VersionRecord.objects.get(version_id=version)
    assert row.met
    assert row.breached
    assert row.disputes or version != VERSION
    assert summed(read, "compliance") == Counter(met=row.met, breached=row.breached)
    assert summed(read, "disputes") == Counter(disputes=row.disputes, tasks=row.tasks)


@pytest.mark.usefixtures("history")
def test_every_evaluation_that_was_started_is_a_part_of_its_count() -> None:
    read = partial(contributions.of_agent, agent_id=AGENT, version_id=VERSION)
    signals = indicators.signals_of(agent_id=AGENT, version_id=VERSION, now=NOON + days(11))
    sums = summed(read, "evaluations")
    assert sums["started"] == signals.evaluations_started == 40
    assert sums["concluded"] == signals.evaluations_concluded
    assert sums["own"] == signals.own_evaluations > 0


@pytest.mark.usefixtures("history")
def test_the_newest_claim_is_the_one_on_show_and_earlier_ones_are_history() -> None:
    read = partial(contributions.of_agent, agent_id=AGENT, version_id=VERSION)
    assert [one.adds["claim_bps"] for one in every(read, "claim")] == [8_500, 9_000]
    signals = indicators.signals_of(agent_id=AGENT, version_id=VERSION, now=NOON + days(11))
    assert signals.claim_bps == 8_500


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("buyer", BUYERS)
def test_the_parts_of_every_number_of_a_buyer_add_up_to_it(buyer: str) -> None:
    read = partial(contributions.of_buyer, buyer_id=buyer)
    said = indicators.buyer_of(buyer_id=buyer)
    assert said.hires
    assert said.rulings
    assert said.silences
    assert said.disputes
    assert summed(read, "hires")["hires"] == said.hires
    assert summed(read, "disputes")["disputes"] == said.disputes
    assert summed(read, "silences")["silences"] == said.silences
    rulings = summed(read, "rulings")
    assert (rulings["rulings"], rulings["upheld"]) == (said.rulings, said.upheld)
    assert summed(read, "builders")["builders"] == said.builders


def test_an_established_builder_is_a_part_by_its_newest_hire() -> None:
    for number in range(17):
        (found,) = record(verdict(clause(30, 0), milestone=f"mst_{number}"))
        buyer = f"pty_{number}" if number < 16 else ALICE
        record(settlement(found.pk, milestone=f"mst_{number}", buyer=buyer, builder=BOB))
    catch_up()
    assert BuyerStanding.objects.get(pk=ALICE).ties == 1
    (one,) = contributions.of_buyer(buyer_id=ALICE, about="builders", limit=9)
    assert (one.kind, one.adds) == ("escrow.settled", {"builders": 1})


def test_what_the_standings_have_not_read_yet_is_no_part_of_them() -> None:
    record(settlement(None, milestone="mst_1", buyer=ALICE, builder=BOB))
    sequencer.sequence_batch()
    assert contributions.of_buyer(buyer_id=ALICE, about="hires", limit=9) == []
    catch_up()
    assert len(contributions.of_buyer(buyer_id=ALICE, about="hires", limit=9)) == 1


def test_a_number_that_is_none_is_named_with_those_there_are() -> None:
    with pytest.raises(NumberUnknown, match="hires, disputes, rulings, silences, builders"):
        contributions.of_buyer(buyer_id=ALICE, about="karma", limit=1)
    assert contributions.of_agent(agent_id=AGENT, version_id="", about="karma", limit=1) == []
    for about in OF_BUYERS:
        assert contributions.of_buyer(buyer_id="pty_nobody", about=about, limit=1) == []
