"""Every kind of evidence there is: its version, whom it must name, and the facts it states.

A kind's facts change only with its version, and an old version stays readable for ever. Any kind
may name any role of `ROLES`; `subjects` are the roles it must name.
"""

from collections.abc import Mapping

from reputation.consequence_kinds import CONSEQUENCES
from reputation.dispute_kinds import DISPUTE_KINDS
from reputation.facts import (
    AMOUNT,
    BPS,
    COUNT,
    CURRENCY,
    EVIDENCE_ID,
    INSTANT,
    TOKEN,
    YES,
    Choice,
    FactType,
    Identifier,
    Record,
    Rows,
)
from reputation.kind import FAULTS, ROLES, TIMEOUTS, Kind
from reputation.kind import kind as _kind
from reputation.metering_kinds import METERING
from reputation.need_kinds import NEED_KINDS

__all__ = ["KINDS", "ROLES", "Kind"]

OUTCOMES = ("met", "breached", "undetermined")
# Who ran the checks, and on whose tasks: `self` is the builder or anybody who shares its interest.
INDEPENDENCE = ("self", "buyer", "platform", "third_party")


_MONEY: dict[str, FactType] = {"amount": AMOUNT, "currency": CURRENCY}
# Counts are units of the clause (a task, a call), each counted once.
CLAUSE = Record(
    required={
        "key": TOKEN,
        "dimension": TOKEN,
        "outcome": Choice(OUTCOMES),
        "passes": COUNT,
        "failures": COUNT,
        "errors": COUNT,
        "nulls": COUNT,
        "promise_bps": BPS,
        "floor_bps": BPS,
    },
    optional={"check": TOKEN, "critical": YES, "method": TOKEN},
)

KINDS: Mapping[str, Kind] = {
    "agent.registered": _kind(
        "agent builder", may={"protocol": TOKEN}, may_digests="endpoint card fingerprint"
    ),
    "agent.control_proved": _kind("agent", {"method": TOKEN}, may_digests="endpoint challenge"),
    # Version 2 says what changed since the last published version, clause by clause as
    # `pacts.diff` counts it; `weakens` says whether it owes less anywhere, or may.
    "pact.published": _kind(
        "pact pact_version",
        {"number": COUNT, "clauses": COUNT},
        may={
            "since": COUNT,
            "weakens": YES,
            **dict.fromkeys(("added", "removed", "stricter", "weaker", "changed"), COUNT),
        },
        digests="terms",
        may_digests="since_terms",
        version=2,
    ),
    # A hire stands under a pact of its own; what it changed of the published one, as above.
    "pact.agreed": _kind(
        "pact pact_version engagement buyer builder agent",
        {"clauses": COUNT, "weakens": YES},
        may=dict.fromkeys(("added", "removed", "stricter", "weaker", "changed"), COUNT),
        digests="terms published_terms",
    ),
    "listing.opened": _kind(
        "listing agent",
        {"price": AMOUNT, "currency": CURRENCY},
        # Version 2 may say what the builder stakes on each milestone.
        may={"category": TOKEN, "bond": AMOUNT},
        may_digests="terms",
        version=2,
    ),
    "claim.recorded": _kind(
        "claim agent",
        {"benchmark": TOKEN, "score_bps": BPS},
        may={"units": COUNT},
        may_digests="tasks source",
    ),
    # What another harness recorded: history for screening, which no standing is computed from.
    "run.imported": _kind(
        "imported_run agent agent_version",
        {
            "format": TOKEN,
            "tasks": COUNT,
            "trials": COUNT,
            "passes": COUNT,
            "failures": COUNT,
            "nulls": COUNT,
            "contradictions": COUNT,
        },
        digests="file",
    ),
    "taskset.committed": _kind(
        "taskset",
        {"number": COUNT, "tasks": COUNT},
        may={"strata": COUNT, "sessions": COUNT, "canaries": YES},
        digests="commitment",
        may_digests="tasks",
        version=2,
    ),
    "engagement.proposed": _kind(
        "engagement pact_version buyer builder", _MONEY, may={"milestones": COUNT}, digests="terms"
    ),
    "engagement.signed": _kind(
        "engagement party",
        {"side": Choice(("buyer", "builder"))},
        may=_MONEY,
        digests="terms",
        may_digests="signature",
    ),
    "engagement.lapsed": _kind(
        "engagement buyer",
        {"timeout": Choice(TIMEOUTS), "fault": Choice(FAULTS)},
        may={"milestones": COUNT},
    ),
    # Version 2 may name the bond the builder staked.
    "escrow.funded": _kind(
        "escrow engagement", _MONEY, may={"fee_bps": BPS, "bond": AMOUNT}, version=2
    ),
    "cancellation.proposed": _kind(
        "cancellation engagement party", may={"builder_share_bps": BPS, "expires": INSTANT}
    ),
    "cancellation.closed": _kind(
        "cancellation engagement",
        {"outcome": Choice(("accepted", "withdrawn", "superseded", "expired", "overtaken"))},
    ),
    "delivery.requested": _kind(
        "engagement", may={"tasks": COUNT, "submit_by": INSTANT}, may_digests="tasks"
    ),
    "evaluation.started": _kind(
        "evaluation agent agent_version",
        {"tasks": COUNT, "independence": Choice(INDEPENDENCE)},
        may={"trials_per_task": COUNT, "method": TOKEN},
        may_digests="terms tasks",
    ),
    # A third party offers to judge hires on tasks of its own, ends that offer, and begins a run
    # that was started and waited for it.
    "evaluator.offered": _kind("party taskset", {"tasks": COUNT}),
    "evaluator.ended": _kind("party taskset"),
    "evaluation.awaited": _kind("evaluation party agent agent_version"),
    "evaluation.begun": _kind("evaluation party agent agent_version"),
    "evaluation.concluded": _kind(
        "evaluation agent agent_version",
        {
            "outcome": Choice(OUTCOMES),
            "earned_share_bps": BPS,
            "method": TOKEN,
            "independence": Choice(INDEPENDENCE),
            "clauses": Rows(CLAUSE),
        },
        # Version 2 may say how many trials were skipped, and why (`reason`); of blind canaries
        # mixed in, how many decided and how many passed every clause. They decide no clause.
        may={
            "trials": COUNT,
            "skipped": COUNT,
            "reason": TOKEN,
            "canaries": COUNT,
            "canary_passes": COUNT,
        },
        may_digests="terms tasks observations",
        version=2,
    ),
    # The checks as they are now over the raw answers of a concluded run; it decides no money.
    "evaluation.rerun": _kind(
        "evaluation agent agent_version",
        {"trials": COUNT},
        may={"original_evidence": EVIDENCE_ID},
        digests="terms",
    ),
    "evaluation.cancelled": _kind(
        "evaluation agent agent_version", {"calls": COUNT, "skipped": COUNT}
    ),
    "artifacts.erased": _kind(
        "evaluation party", {"reason": TOKEN, "artifacts": COUNT, "kept": COUNT}
    ),
    "jury.registered": _kind(
        "jury", {"jurors": COUNT, "rule": Choice(("majority", "unanimity"))}, digests="jury"
    ),
    # Counts of (the jury's word, people's word): pass_fail is what it passed and people failed.
    "jury.calibrated": _kind(
        "jury",
        {
            "labels": COUNT,
            "pass_pass": COUNT,
            "pass_fail": COUNT,
            "fail_pass": COUNT,
            "fail_fail": COUNT,
            "abstained": COUNT,
        },
        digests="jury pairs",
    ),
    # Before any answer exists: how likely each is drawn, and a commitment to what decides it.
    "review.committed": _kind(
        "review evaluation",
        {"purpose": TOKEN, "probability_bps": BPS},
        may={"reviewers": COUNT},
        digests="commitment",
    ),
    # The seed opens the commitment: anybody can draw again.
    "review.drawn": _kind(
        "review evaluation", {"seed": TOKEN, "population": COUNT, "drawn": COUNT}
    ),
    "evaluation.heard": _kind(
        "evaluation",
        {"judgements": COUNT, "disagreed": COUNT, "abstained": COUNT, "labels": COUNT},
        may={"cost_micros": COUNT},
    ),
    # Production calls: one clause over one window of one stream. A breach is known at once; what
    # the window came to, when it closed. Counts of calls kept with different probabilities are
    # weighted and rounded down.
    "window.breached": _kind(
        "stream engagement agent agent_version",
        {
            "clause": TOKEN,
            "window": COUNT,
            "units": COUNT,
            "critical": YES,
            "independence": Choice(INDEPENDENCE),
        },
        digests="terms",
    ),
    "window.concluded": _kind(
        "stream engagement agent agent_version",
        {
            "window": COUNT,
            "calls": COUNT,
            "independence": Choice(INDEPENDENCE),
            "clauses": Rows(CLAUSE),
        },
        may={"breach_evidence": EVIDENCE_ID},
        digests="terms",
    ),
    "drift.found": _kind(
        "stream engagement agent agent_version",
        {"what": TOKEN, "level": Choice(("warn", "act")), "place": COUNT},
        may={"clause": TOKEN},
    ),
    # What answers is not what the standing is about any more: until new evidence, it is stale.
    # Version 2 says whose word it is, and which version was hired where another one answers.
    "model.changed": _kind(
        "stream engagement agent agent_version",
        {"place": COUNT},
        may={"independence": Choice(INDEPENDENCE)},
        digests="before after",
        version=2,
    ),
    "version.changed": _kind(
        "stream engagement agent agent_version",
        {"number": COUNT},
        may={"independence": Choice(INDEPENDENCE), "hired": Identifier("agv")},
        digests="fingerprint",
        version=2,
    ),
    # Before any call: how likely each goes to a jury or people, and a commitment to what decides
    # it; the seed opens it when no more calls come.
    "calls.draw_committed": _kind(
        "stream engagement",
        {"clause": TOKEN, "drawn_bps": BPS, "read_bps": BPS},
        digests="commitment",
    ),
    "calls.draw_opened": _kind("stream engagement", {"seed": TOKEN, "drawn": COUNT}),
    "calls.erased": _kind("engagement party", {"reason": TOKEN, "contents": COUNT}),
    **CONSEQUENCES,
    **METERING,
    **NEED_KINDS,
    "escrow.withheld": _kind(
        "escrow engagement",
        {"reason": TOKEN},
        may={**_MONEY, "verdict_evidence": EVIDENCE_ID, "until": INSTANT},
    ),
    "escrow.frozen": _kind("escrow engagement dispute", may={**_MONEY, "reason": TOKEN}),
    # `verdict_evidence` names the verdict the money followed, and standing counts that verdict.
    # Where a ruling overturned it, only `ruling_evidence` is named, and the verdict never counts.
    # Version 2 may say which deadline decided, whose fault that or the breach was, and what became
    # of the builder's bond.
    "escrow.settled": _kind(
        "escrow engagement",
        {
            "outcome": Choice(("released", "refunded", "split")),
            "currency": CURRENCY,
            "released": AMOUNT,
            "refunded": AMOUNT,
            "fee": AMOUNT,
        },
        may={
            "reason": TOKEN,
            "verdict_evidence": EVIDENCE_ID,
            "ruling_evidence": EVIDENCE_ID,
            "timeout": Choice(TIMEOUTS),
            "fault": Choice(FAULTS),
            "bond": AMOUNT,
            "bond_outcome": Choice(("returned", "slashed")),
        },
        may_digests="receipt",
        version=2,
    ),
    "delivery.accepted": _kind(
        "engagement", {"by": Choice(("buyer", "silence"))}, may_digests="deliverable"
    ),
    **DISPUTE_KINDS,
    "payout.requested": _kind("payout party", _MONEY, may={"rail": TOKEN}),
    "payout.paid": _kind("payout party", _MONEY, may={"rail": TOKEN}),
    # The rail refused, or the party took it back: the money is the party's again.
    "payout.failed": _kind("payout party", _MONEY, may={"rail": TOKEN}),
    "payout.cancelled": _kind("payout party", _MONEY, may={"rail": TOKEN}),
    # A refund sends (part of) a deposit to its own source, so it names that deposit.
    "refund.requested": _kind("payout deposit party", _MONEY, may={"rail": TOKEN}),
    "refund.paid": _kind("payout deposit party", _MONEY, may={"rail": TOKEN}),
    "refund.failed": _kind("payout deposit party", _MONEY, may={"rail": TOKEN}),
    "refund.cancelled": _kind("payout deposit party", _MONEY, may={"rail": TOKEN}),
    "deposit.received": _kind("deposit party", _MONEY, may={"rail": TOKEN}),
    "deposit.failed": _kind("deposit party", _MONEY, may={"rail": TOKEN}),
    # A control's every version is set; `retired` is its last. What fires names whom it restricts.
    "control.set": _kind(
        "control",
        {
            "number": COUNT,
            "metric": TOKEN,
            "threshold": COUNT,
            "recover_at": COUNT,
            "scope": TOKEN,
            "action": TOKEN,
            "cadence_days": COUNT,
            "retired": YES,
        },
        may={"dimension": TOKEN, "category": TOKEN, "limit": AMOUNT, "hold_days": COUNT},
    ),
    # Version 2 names the agent and the firing, and says which version of the control it was.
    "control.fired": _kind(
        "control firing agent",
        {
            "number": COUNT,
            "metric": TOKEN,
            "threshold": COUNT,
            "observed": COUNT,
            "action": TOKEN,
        },
        may={"dimension": TOKEN, "limit": AMOUNT, "hold_days": COUNT},
        version=2,
    ),
    "control.cleared": _kind("control firing agent", {"release": TOKEN}, may={"observed": COUNT}),
    "control.overridden": _kind("control firing agent", {"until": INSTANT}),
    "control.reviewed": _kind("control", {"number": COUNT}, may={"overdue_days": COUNT}),
    "control.review_overdue": _kind("control", {"due": INSTANT, "cadence_days": COUNT}),
    # What the platform itself sets, for engagements proposed from then on.
    "policy.changed": _kind(
        "policy",
        {
            "number": COUNT,
            "changes": Rows(Record({"key": TOKEN, "before": COUNT, "after": COUNT})),
        },
        may={"seconded": YES},  # money terms: proposed by one person, confirmed by another
        digests="policy",
        version=2,
    ),
    # A pattern in the rows, and what a person did about it. Whom it names is not public: a
    # suspicion is no finding. What a freeze restricts, `control.fired` says.
    "gaming.found": _kind("suspicion", {"pattern": TOKEN, "parties": COUNT, "agents": COUNT}),
    "gaming.frozen": _kind("suspicion", {"agents": COUNT}),
    "gaming.released": _kind("suspicion", {"agents": COUNT}),
    # A builder's public words on an evaluation or an incident; `text` commits to them, salted.
    "finding.replied": _kind("party agent", {"number": COUNT}, digests="text"),
    "payload.erased": _kind("evidence", {"reason": TOKEN}),
}
