"""Every way a funded milestone can end, foretold: what moves to whom, and when at the latest.

Pure. Nothing here decides: each way is a play of events put before `settlement.decisions.decide`,
the function that later settles, and the clock is moved past whatever it waits for. So what is said
before funding is what the ledger does; a test plays each way for real and compares.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from pacts.feasibility import Timers
from pacts.procedure.clocks import FULL, Docket, Periods, Side, answer_by, enter, look
from settlement.decisions import (
    AskHuman,
    DeliveryFacts,
    Facts,
    Final,
    Outcome,
    VerdictFacts,
    decide,
)
from settlement.fees import FeeBand
from settlement.shares import WHOLE

# In the order a reader wants them.
Key = Literal[
    "met_accepted",
    "met_silence",
    "breached",
    "breached_critical",
    "revised_met",
    "breached_accepted",
    "undetermined_release",
    "undetermined_prorate",
    "undetermined_withhold",
    "undetermined_extend",
    "undetermined_human_review",
    "undetermined_accepted",
    "buyer_silent",
    "builder_silent",
    "ruled",
    "ruled_nothing",
    "unruled",
    "given_back",
    "agreed",
    "not_funded",
]
# Which way of a dispute or verdict cannot be foretold: shown as an example of this share.
EXAMPLE_BPS = 8_000
AWARD_BPS = 6_000
PARTED_BPS = 5_000
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What the ways rest on, for one milestone. Amounts in minor units, rates in basis points.

    `rules` are what the pact's clauses say of undetermined; `critical` whether a clause is;
    `periods` are a dispute's at this amount.
    """

    amount: int
    fee_bps: int
    timers: Timers
    max_revisions: int
    on_breach: Literal["refund", "prorate"]
    rules: tuple[str, ...]
    fee_bands: tuple[FeeBand, ...] = ()
    bond: int = 0
    critical: bool = False
    periods: Periods = FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One end: minor units to each side, whose the bond is, and the last moment it is awaited.

    `is_example` marks a share nobody can know before; `code` is of `settlement.reasons`. At `at`
    whoever is awaited may still act; strictly after it the money has moved.
    """

    key: Key
    code: str
    at: datetime
    share_bps: int
    released: int
    fee: int
    refunded: int
    bond_to: Side = ""
    is_example: bool = False


def ways(*, agreed: Agreed, funded_at: datetime, fund_by_at: datetime | None = None) -> list[Way]:
    """Every way the milestone can end if it is funded at this moment, and every step is taken at
    the last moment for it; the last is the one where it never is (signed now, unless the time to
    fund is known)."""
    return [*_played(agreed, funded_at), _not_funded(agreed, funded_at, fund_by_at)]


def way_of(found: list[Way], key: Key) -> Way | None:
    """The way with this key, if it is possible."""
    return next((one for one in found if one.key == key), None)


def _not_funded(agreed: Agreed, signed_at: datetime, fund_by_at: datetime | None) -> Way:
    return Way(
        key="not_funded",
        code="not_funded",
        at=fund_by_at or signed_at + timedelta(seconds=agreed.timers.funding_seconds),
        share_bps=0,
        released=0,
        fee=0,
        refunded=0,
    )


def facts_at(agreed: Agreed, funded_at: datetime) -> Facts:
    """The facts of the milestone right after funding: the work is asked for, nothing is judged."""
    timers = agreed.timers
    submit_by = funded_at + timedelta(seconds=timers.work_seconds)
    due = submit_by + timedelta(seconds=timers.evaluation_seconds)
    return Facts(
        amount=agreed.amount,
        fee_bps=agreed.fee_bps,
        submit_by_at=submit_by,
        acceptance=timedelta(seconds=timers.acceptance_seconds),
        cure=timedelta(seconds=timers.cure_seconds),
        extension=timedelta(seconds=timers.evaluation_seconds),
        review=agreed.periods.backstop,
        on_breach=agreed.on_breach,
        undetermined_rule="human_review",
        deliveries=(DeliveryFacts(evaluation_due_at=due),),
        fee_bands=agreed.fee_bands,
        bond=agreed.bond,
    )


def _played(agreed: Agreed, funded_at: datetime) -> Iterator[Way]:
    facts = facts_at(agreed, funded_at)
    due = facts.deliveries[-1].evaluation_due_at
    met = judged(facts, "met")
    yield _end("met_accepted", agreed, replace(met, accepted_at=due), due)
    yield _end("met_silence", agreed, met, due)
    yield from _breached(agreed, facts, due)
    for rule in agreed.rules:
        share = EXAMPLE_BPS if rule == "prorate" else 0
        yield _end(_BY_RULE[rule], agreed, judged(facts, "undetermined", share, rule=rule), due)
    # Where the measured share is paid, accepting pays no more than silence does.
    if rule := next((one for one in agreed.rules if one != "prorate"), ""):
        open_still = judged(facts, "undetermined", 0, rule=rule)
        yield _end("undetermined_accepted", agreed, replace(open_still, accepted_at=due), due)
    yield from _disputed(agreed, met, due)
    yield _end("given_back", agreed, replace(facts, given_back_at=funded_at), due)
    parted = replace(facts, agreed_share_bps=PARTED_BPS)
    yield _end("agreed", agreed, parted, due, is_example=True)


_BY_RULE: dict[str, Key] = {
    "release": "undetermined_release",
    "prorate": "undetermined_prorate",
    "withhold": "undetermined_withhold",
    "extend": "undetermined_extend",
    "human_review": "undetermined_human_review",
}


def _breached(agreed: Agreed, facts: Facts, due: datetime) -> Iterator[Way]:
    share = EXAMPLE_BPS if agreed.on_breach == "prorate" else 0
    broken = judged(facts, "breached", share)
    yield _end("breached", agreed, broken, due)
    if agreed.bond and agreed.critical:
        critical = judged(facts, "breached", 0, critical=True)
        yield _end("breached_critical", agreed, critical, due)
    if agreed.max_revisions:
        yield _revised(agreed, broken, due)
    yield _end("breached_accepted", agreed, replace(broken, accepted_at=due), due)


def _revised(agreed: Agreed, broken: Facts, due: datetime) -> Way:
    """The last revision the agreement allows, each handed over at the last moment, is met."""
    facts = broken
    for _ in range(agreed.max_revisions):
        due += timedelta(
            seconds=agreed.timers.cure_seconds
            + agreed.timers.work_seconds
            + agreed.timers.evaluation_seconds
        )
        facts = replace(facts, deliveries=(*facts.deliveries, DeliveryFacts(evaluation_due_at=due)))
        last, facts = facts, judged(facts, "breached", 0)
    return _end("revised_met", agreed, judged(last, "met"), due)


def _disputed(agreed: Agreed, met: Facts, due: datetime) -> Iterator[Way]:
    """Opened at the last moment for it; by the builder against a silent buyer, else the buyer."""
    opened = due + met.acceptance
    for key, owing in (("buyer_silent", "buyer"), ("builder_silent", "builder")):
        docket = docket_at(agreed, opened, owing=owing)  # type: ignore[arg-type]
        yield _end(key, agreed, replace(met, dispute=docket), opened)  # type: ignore[arg-type]
    answered = docket_at(agreed, opened, owing="", state="under_review")
    for key, award in (("ruled", AWARD_BPS), ("ruled_nothing", 0)):
        ruled = replace(answered, award_bps=award, level=1)
        docket = enter(ruled, "challenge_window", at=answered.backstop_at)
        facts = replace(met, dispute=docket)
        yield _end(key, agreed, facts, opened, is_example=award > 0)  # type: ignore[arg-type]
    yield _end("unruled", agreed, replace(met, dispute=answered), opened)


def docket_at(
    agreed: Agreed,
    opened: datetime,
    *,
    owing: Side,
    state: Literal["opened", "under_review"] = "opened",
) -> Docket:
    """A dispute that was just opened, or one that only waits for a ruling."""
    backstop = opened + agreed.periods.backstop
    return Docket(
        state=state,
        entered_at=opened,
        due_at=answer_by(opened, agreed.periods) if state == "opened" else backstop,
        backstop_at=backstop,
        periods=agreed.periods,
        owing=owing,
    )


def judged(
    facts: Facts,
    outcome: Outcome,
    share_bps: int = WHOLE,
    *,
    rule: str = "",
    critical: bool = False,
) -> Facts:
    """The same facts with a verdict on the last delivery, given at the last moment for it."""
    last = facts.deliveries[-1]
    verdict = VerdictFacts(
        outcome=outcome,
        earned_share_bps=share_bps,
        undetermined_rule=rule,
        concluded_at=last.evaluation_due_at,
        breached_critical=critical,
    )
    return replace(facts, deliveries=(*facts.deliveries[:-1], replace(last, verdict=verdict)))


def _end(key: Key, agreed: Agreed, facts: Facts, at: datetime, *, is_example: bool = False) -> Way:
    """Let time pass until the money moves. `decide` is total, so it does."""
    while True:
        found = decide(facts=facts, now=at if facts.accepted_at else at + _TICK)
        if isinstance(found, Final):
            return _way(key, agreed, found, at, is_example)
        if isinstance(found, AskHuman):
            docket = docket_at(agreed, at, owing="", state="under_review")
            facts = replace(facts, dispute=replace(docket, is_review=True))
        at = _awaited(facts, at) or found.until


def _awaited(facts: Facts, at: datetime) -> datetime | None:
    """The last moment of the step a dispute is in, as its own clocks move it."""
    if facts.dispute is None:
        return None
    docket = look(facts.dispute, now=at + _TICK)
    return docket.due_at if docket.is_open else None


def _way(key: Key, agreed: Agreed, found: Final, at: datetime, is_example: bool) -> Way:
    division = found.division
    bond_to: Side = "" if not agreed.bond else "buyer" if found.slashes_bond else "builder"
    return Way(
        key=key,
        code=found.code,
        at=at,
        share_bps=found.share_bps,
        released=division.released,
        fee=division.fee,
        refunded=division.refunded,
        bond_to=bond_to,
        is_example=is_example or 0 < found.share_bps < WHOLE,
    )
