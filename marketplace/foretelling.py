"""What the ways of a hire rest on, read from a listing, an offer or an engagement.

`settlement.ways` foretells; here stands whose clocks, fee and dispute rules it is asked about.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from marketplace import hiring, policy
from marketplace.models import Listing
from pacts import proposals, terms
from pacts.engagements import timers_of
from pacts.models import Engagement, Milestone, Negotiation, Party, Proposal, Verdict
from pacts.procedure import limits
from pacts.procedure.clocks import FULL
from pacts.procedure.limits import Rules
from pacts.terms import PactTerms
from settlement import filings
from settlement.decisions import DeliveryFacts, Facts, Final, VerdictFacts, decide
from settlement.fees import FeeBand, bands_of
from settlement.models import Escrow
from settlement.ways import Agreed, Way, ways

_CENTURY = timedelta(days=36_525)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """Every way one milestone can go, and what disputing it would take.

    `deposits` are what each side would set aside for filing now, in minor units, by side; empty
    before there is an engagement.
    """

    agreed: Agreed
    currency: str
    funded_at: datetime
    track: str
    needs_second: bool
    deposits: dict[str, int]
    ways: list[Way]
    title: str = ""

    @property
    def is_small(self) -> bool:
        return self.track == "small"


def of_listing(listing: Listing, *, now: datetime) -> Foretold:
    """One milestone at a listing's own terms, signed and funded now."""
    held = policy.at(now)
    agreed = Agreed(
        amount=listing.price,
        fee_bps=held.fee_bps,
        fee_bands=tuple(FeeBand(*band) for band in held.fee_bands_in(listing.currency)),
        timers=replace(hiring.timers_of(listing), funding_seconds=held.funding_seconds),
        max_revisions=listing.max_revisions,
        bond=listing.bond,
        **_of_pact(terms.parse(listing.pact_version.terms)),
    )
    return _foretold(agreed, listing.currency, held.rules, {}, now)


def of_milestone(milestone: Milestone, *, now: datetime) -> Foretold:
    """A milestone of an engagement, from its funding (or as if it were funded now)."""
    engagement = milestone.engagement
    rules = policy.rules_for(engagement)
    agreed = Agreed(
        amount=milestone.amount,
        fee_bps=engagement.fee_bps,
        fee_bands=bands_of(engagement.fee_bands),
        timers=timers_of(engagement),
        max_revisions=engagement.max_revisions,
        bond=milestone.bond,
        **_of_pact(terms.parse(engagement.pact_version.terms)),
    )
    deposits = {
        "buyer": _deposit(engagement.buyer, milestone, now, rules),
        "builder": _deposit(engagement.builder, milestone, now, rules),
    }
    return _foretold(
        agreed,
        engagement.currency,
        rules,
        deposits,
        milestone.started_at or now,
        fund_by_at=engagement.fund_by_at,
        title=milestone.title,
    )


def of_proposal(proposal: Proposal, *, now: datetime) -> list[Foretold]:
    """Each milestone of an offer, accepted and funded now."""
    negotiation: Negotiation = proposal.negotiation
    engagement: Engagement = proposals.preview(negotiation=negotiation, proposal=proposal)
    rules = policy.rules_for(engagement)
    offered = proposals.terms_of(proposal)
    return [
        _foretold(
            Agreed(
                amount=one.amount,
                fee_bps=proposal.fee_bps,
                fee_bands=bands_of(proposal.fee_bands),
                timers=offered.timers,
                max_revisions=offered.max_revisions,
                bond=one.bond,
                **_of_pact(offered.pact),
            ),
            negotiation.currency,
            rules,
            {},
            now,
            title=one.title,
        )
        for one in offered.milestones
    ]


def _foretold(
    agreed: Agreed,
    currency: str,
    rules: Rules,
    deposits: dict[str, int],
    funded_at: datetime,
    *,
    fund_by_at: datetime | None = None,
    title: str = "",
) -> Foretold:
    track = limits.track(amount=agreed.amount, currency=currency, rules=rules)
    periods = rules.small if track == "small" else rules.full
    held = replace(agreed, periods=periods)
    return Foretold(
        agreed=held,
        currency=currency,
        funded_at=funded_at,
        track=track,
        needs_second=limits.needs_second(amount=agreed.amount, currency=currency, rules=rules),
        deposits=deposits,
        ways=ways(agreed=held, funded_at=funded_at, fund_by_at=fund_by_at),
        title=title,
    )


def _of_pact(pact: PactTerms) -> dict[str, Any]:
    return {
        "on_breach": pact.on_breach,
        "rules": tuple(dict.fromkeys(clause.on_undetermined for clause in pact.clauses)),
        "critical": any(clause.critical for clause in pact.clauses),
    }


def _deposit(party: Party, milestone: Milestone, now: datetime, rules: Rules) -> int:
    return filings.due_for(party=party, milestone=milestone, now=now, rules=rules)


def if_nobody_acts(
    *, milestone: Milestone, verdict: Verdict | None, escrow: Escrow | None
) -> Final | None:
    """What moves when the present window passes in silence; None if a person must decide."""
    found = _facts(milestone, verdict, escrow)
    return None if found is None else _final(found, found.submit_by_at + _CENTURY)


def if_accepted(
    *, milestone: Milestone, verdict: Verdict | None, escrow: Escrow | None
) -> Final | None:
    """What moves when the buyer accepts now; None where there is nothing to accept."""
    found = _facts(milestone, verdict, escrow)
    if found is None or verdict is None:
        return None
    at = verdict.concluded_at
    return _final(replace(found, accepted_at=at), at)


def _facts(milestone: Milestone, verdict: Verdict | None, escrow: Escrow | None) -> Facts | None:
    """As `settlement.casefiles` reads them, without their locks: for showing, never for acting."""
    if escrow is None or escrow.submit_by_at is None or verdict is None:
        return None
    engagement = milestone.engagement
    due = verdict.concluded_at
    judged = VerdictFacts(
        outcome=verdict.outcome,  # type: ignore[arg-type]
        earned_share_bps=verdict.earned_share_bps,
        undetermined_rule=verdict.undetermined_rule,
        concluded_at=due,
    )
    return Facts(
        amount=escrow.amount,
        fee_bps=escrow.fee_bps,
        fee_bands=bands_of(escrow.fee_bands),
        submit_by_at=escrow.submit_by_at,
        acceptance=timedelta(seconds=engagement.acceptance_seconds),
        cure=timedelta(seconds=engagement.cure_seconds),
        extension=timedelta(seconds=engagement.evaluation_seconds),
        review=FULL.backstop,
        on_breach=engagement.pact_version.terms.get("on_breach", "refund"),
        undetermined_rule="human_review",
        deliveries=(DeliveryFacts(evaluation_due_at=due, verdict=judged),),
    )


def _final(facts: Facts, now: datetime) -> Final | None:
    found = decide(facts=facts, now=now)
    return found if isinstance(found, Final) else None
