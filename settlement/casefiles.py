"""Everything a decision about an escrow rests on, read from rows under their locks; or, where it is
only told, without."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import QuerySet

from pacts import verdicts
from pacts.models import (
    ClauseVerdict,
    Deliverable,
    Dispute,
    Engagement,
    Evaluation,
    Milestone,
    Ruling,
    Verdict,
)
from pacts.procedure.clocks import FULL
from pacts.terms import INDEPENDENT
from reputation import restrictions
from settlement.decisions import DeliveryFacts, Facts, VerdictFacts
from settlement.fees import bands_of
from settlement.models import Bond, Escrow

_BESIDE = (
    "milestone__engagement__pact_version",
    "milestone__engagement__agent_version",
    "milestone__engagement__buyer",
    "milestone__engagement__builder",
    "account",
    "bond__account",
)
UNJUDGED_RULE = "human_review"  # nobody measured anything, so only a person can say


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One locked escrow with its facts, and the rows they came from.

    `judged` are the deliveries that have a verdict, oldest first.
    """

    escrow: Escrow
    milestone: Milestone
    engagement: Engagement
    facts: Facts
    deliverable: Deliverable | None
    judged: tuple[Deliverable, ...]
    dispute: Dispute | None
    ruling: Ruling | None

    @property
    def verdict(self) -> Verdict | None:
        """The latest verdict."""
        return self.judged[-1].evaluation.verdict if self.judged else None

    @property
    def bond(self) -> Bond | None:
        """What the builder staked on it, if a bond was agreed."""
        return getattr(self.escrow, "bond", None)


def locked(escrows: QuerySet[Escrow], *, now: datetime, skip_locked: bool = False) -> list[Case]:
    """Lock these escrows and read their cases. The caller is in a transaction.

    An evaluation that missed its window is concluded first, as the platform's fault.
    """
    rows = escrows.select_for_update(of=("self",), no_key=True, skip_locked=skip_locked)
    found = list(rows.select_related(*_BESIDE).order_by("pk"))
    cases = _read(found, now)
    return _read(found, now) if _conclude_overdue(cases, now) else cases


def seen(escrows: QuerySet[Escrow], *, now: datetime) -> list[Case]:
    """These cases as they stand, to be told and not to be decided: nothing waits, is locked or
    written, and an evaluation that missed its window is still without a verdict."""
    found = list(escrows.select_related(*_BESIDE).order_by("pk"))
    return _read(found, now, lock=False)


def _conclude_overdue(cases: list[Case], now: datetime) -> bool:
    concluded = [
        verdicts.conclude(evaluation_id=case.deliverable.evaluation.pk, now=now)
        for case in cases
        if case.deliverable and _overdue(case, now)
    ]
    return any(concluded)


def _overdue(case: Case, now: datetime) -> bool:
    last = case.facts.deliveries[-1]
    open_still = not case.escrow.is_final
    return open_still and last.verdict is None and now > last.evaluation_due_at


def _read(escrows: list[Escrow], now: datetime, *, lock: bool = True) -> list[Case]:
    milestones = [escrow.milestone_id for escrow in escrows]
    delivered = defaultdict(list)
    for deliverable in _deliverables(milestones):
        delivered[deliverable.milestone_id].append(deliverable)
    disputes = {dispute.milestone_id: dispute for dispute in _disputes(milestones, lock)}
    critical = _breached_critically([one.milestone_id for one in escrows if hasattr(one, "bond")])
    held = restrictions.holds(agents=[_agent_of(one) for one in escrows], now=now)
    cases = [
        _case(escrow, delivered[escrow.milestone_id], disputes.get(escrow.milestone_id), critical)
        for escrow in escrows
    ]
    return [_withheld(case, held.get(_agent_of(case.escrow))) for case in cases] if held else cases


def _agent_of(escrow: Escrow) -> str:
    return escrow.milestone.engagement.agent_version.agent_id


def _withheld(case: Case, hold: timedelta | None) -> Case:
    return replace(case, facts=replace(case.facts, control_hold=hold))


def _breached_critically(milestones: list[str]) -> set[str]:
    """Verdicts on these milestones in which a critical clause was breached; asked for bonds."""
    if not milestones:
        return set()
    rows = ClauseVerdict.objects.filter(
        verdict__evaluation__deliverable__milestone__in=milestones,
        critical=True,
        outcome=Verdict.Outcome.BREACHED,
    )
    return set(rows.values_list("verdict_id", flat=True))


def _deliverables(milestones: list[str]) -> QuerySet[Deliverable]:
    """Deliveries whose evaluation is the platform's or the agreed third party's: no other may move
    money."""
    return (
        Deliverable.objects.filter(
            milestone__in=milestones,
            evaluation__purpose=Evaluation.Purpose.MILESTONE,
            evaluation__independence__in=INDEPENDENT,
        )
        .select_related("evaluation__verdict", "agent_version")
        .order_by("milestone", "number")
    )


def _disputes(milestones: list[str], lock: bool) -> list[Dispute]:
    """Locked, so that a ruling cannot arrive between the look and the outcome; the last is last.

    Read once they are locked: a join beside the lock would show the rulings of before.
    """
    rows = Dispute.objects.filter(milestone__in=milestones)
    if lock:
        held = rows.order_by("pk").select_for_update(no_key=True)
        rows = Dispute.objects.filter(pk__in=list(held.values_list("pk", flat=True)))
    found = rows.select_related("ruling", "verdict", "opened_by")
    return list(found.order_by("opened_at", "pk"))


def _case(
    escrow: Escrow, delivered: list[Deliverable], dispute: Dispute | None, critical: set[str]
) -> Case:
    milestone = escrow.milestone
    if dispute:
        dispute.milestone = milestone  # already read, with its engagement
    return Case(
        escrow=escrow,
        milestone=milestone,
        engagement=milestone.engagement,
        facts=_facts(escrow, delivered, dispute, critical),
        deliverable=delivered[-1] if delivered else None,
        judged=tuple(one for one in delivered if _verdict(one.evaluation)),
        dispute=dispute,
        ruling=dispute.ruling if dispute else None,
    )


def _facts(
    escrow: Escrow, delivered: list[Deliverable], dispute: Dispute | None, critical: set[str]
) -> Facts:
    engagement = escrow.milestone.engagement
    submit_by_at = escrow.milestone.submit_by_at
    if submit_by_at is None:
        raise ValueError(f"the work for {escrow.pk} was never started")
    return Facts(
        amount=escrow.amount,
        fee_bps=escrow.fee_bps,
        submit_by_at=submit_by_at,
        acceptance=timedelta(seconds=engagement.acceptance_seconds),
        cure=timedelta(seconds=engagement.cure_seconds),
        extension=timedelta(seconds=engagement.evaluation_seconds),
        review=FULL.backstop,
        on_breach=engagement.pact_version.terms.get("on_breach", "refund"),
        undetermined_rule=UNJUDGED_RULE,
        deliveries=tuple(_delivery_facts(one.evaluation, critical) for one in delivered),
        dispute=dispute.docket if dispute else None,
        accepted_at=escrow.accepted_at,
        given_back_at=escrow.given_back_at,
        agreed_share_bps=escrow.agreed_share_bps,
        fee_bands=bands_of(escrow.fee_bands),
        bond=escrow.bond.amount if hasattr(escrow, "bond") else 0,
    )


def _verdict(evaluation: Evaluation) -> Verdict | None:
    return getattr(evaluation, "verdict", None)


def _delivery_facts(evaluation: Evaluation, critical: set[str]) -> DeliveryFacts:
    verdict = _verdict(evaluation)
    return DeliveryFacts(
        evaluation_due_at=evaluation.deadline_at,
        verdict=verdict
        and VerdictFacts(
            outcome=verdict.outcome,  # type: ignore[arg-type]
            earned_share_bps=verdict.earned_share_bps,
            undetermined_rule=verdict.undetermined_rule,
            concluded_at=verdict.concluded_at,
            is_late=verdict.concluded_at > evaluation.deadline_at,
            breached_critical=verdict.pk in critical,
        ),
    )
