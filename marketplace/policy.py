"""The platform's policy as versioned rows: every change is evidence, and binds new work alone.

An engagement lives under the policy in force when it was proposed; so do its disputes and what may
be held on its agent. A payout waits as the policy of its request says. What is about money is
changed by two people: one proposes, another confirms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from marketplace import policy_terms
from marketplace.models import PolicyProposal
from marketplace.policy_effects import Effect, effects_of
from marketplace.policy_terms import SETTINGS, faults, needs_second, valued
from pacts import policies
from pacts.currencies import exponent_of
from pacts.models import PolicyVersion, User
from pacts.policies import rules_for
from pacts.procedure.limits import Rules
from pacts.procedure.ruleset import rules_of
from reputation import evidence
from reputation.canonical import digest
from reputation.evidence import EvidenceAlreadyRecorded
from settlement.cooldowns import Cooldowns, cooldowns_of
from settlement.exposure import Steps, steps_of

__all__ = [
    "Policy",
    "PolicyChanged",
    "PolicyNeedsSecond",
    "PolicyRefused",
    "at",
    "change",
    "confirm",
    "decline",
    "effects_of_proposal",
    "effects_of_version",
    "proposals",
    "propose",
    "rules_for",
    "versions",
    "waiting",
]

LEAST_REASON = 10
LONGEST_REASON = 1000
PROPOSAL_LIVES = timedelta(days=14)


class PolicyRefused(ValueError):
    """The change cannot be in force; `by_key` says why, setting by setting."""

    def __init__(self, message: str, by_key: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.by_key = dict(by_key or {})


class PolicyChanged(Exception):
    """Somebody else changed the policy in between, or decided on the proposal."""


class PolicyNeedsSecond(PermissionError):
    """A change of money terms takes two people of the staff."""


@dataclass(frozen=True)
class Policy:
    """The policy at one moment. `number` is 0 before the first change: defaults alone."""

    number: int
    values: Mapping[str, int]

    @property
    def fee_bps(self) -> int:
        return self.values["fee_bps"]

    @property
    def funding_seconds(self) -> int:
        return self.values["funding"] * 3600

    @cached_property
    def rules(self) -> Rules:
        """What it says of disputes."""
        return rules_of(self.values)

    @cached_property
    def exposure(self) -> Steps:
        """What may be held at once on an agent, by its standing."""
        return steps_of(self.values)

    @cached_property
    def cooldowns(self) -> Cooldowns:
        """How long a payout waits, by the age of the account."""
        return cooldowns_of(self.values)

    def fee_bands_in(self, currency: str) -> list[tuple[int, int]]:
        """The fee's bands in a currency: (above, in minor units; basis points); none is flat.

        Bands count hundredths; currencies of more decimals are scaled. Raises
        `pacts.currencies.CurrencyUnknown`.
        """
        scale: int = 10 ** max(0, exponent_of(currency) - 2)
        further = [
            (above * scale, min(bps, self.fee_bps))
            for above, bps in policy_terms.bands_of(self.values)
        ]
        return [(0, self.fee_bps), *further] if further else []


def installed() -> dict[str, int]:
    """What this installation begins with, before anybody changed anything."""
    return policy_terms.installed(
        fee_bps=settings.PLATFORM_FEE_BPS, bands=settings.PLATFORM_FEE_BANDS
    )


def at(moment: datetime) -> Policy:
    """The policy in force at this moment; at exactly a change it is the new one."""
    return _policy(policies.version_at(moment))


def _policy(row: PolicyVersion | None) -> Policy:
    values = valued(row.values if row else {}, usual=installed())
    return Policy(row.number if row else 0, values)


def versions() -> QuerySet[PolicyVersion]:
    """Every version, the newest first, with `values_before`: what the one before it had set."""
    before = PolicyVersion.objects.filter(number=OuterRef("number") - 1)
    return PolicyVersion.objects.annotate(values_before=Subquery(before.values("values")[:1]))


def effects_of_version(row: PolicyVersion) -> list[Effect]:
    """What one of `versions` changed against the one before it; asks nothing more."""
    before: Mapping[str, int] | None = row.values_before  # type: ignore[attr-defined]
    return effects_of(valued(before or {}, usual=installed()), _policy(row).values)


def change(
    *, changes: Mapping[str, int], reason: str, seen: int, by: User, now: datetime
) -> PolicyVersion:
    """The next version: these settings changed, all others as they are.

    `seen` is the number of the version that was looked at. Raises PolicyRefused, PolicyChanged,
    PolicyNeedsSecond.
    """
    held = _seen(seen)
    changed = _refuse_unfit(held.values, changes, reason)
    if needs_second(changed):
        raise PolicyNeedsSecond(
            "what is about money is changed by two people: propose it, and somebody else of the "
            "staff confirms it"
        )
    return _make(held, changed, reason, by=by, second=None, now=now)


def propose(
    *, changes: Mapping[str, int], reason: str, seen: int, by: User, now: datetime
) -> PolicyProposal:
    """A change that waits for a second person, at most 14 days. Raises PolicyRefused,
    PolicyChanged."""
    held = _seen(seen)
    changed = _refuse_unfit(held.values, changes, reason)
    return PolicyProposal.objects.create(
        seen=seen,
        changes=changed,
        reason=reason.strip(),
        proposed_by=by,
        proposed_at=now,
        lapses_at=now + PROPOSAL_LIVES,
    )


def proposals(*, now: datetime) -> QuerySet[PolicyProposal]:
    """Every proposal, the newest first, with `values_seen`, what the version it would change had
    set, and `may_be_confirmed`: not decided, not overtaken, not lapsed. At exactly its last moment
    one still may."""
    seen = PolicyVersion.objects.filter(number=OuterRef("seen"))
    return PolicyProposal.objects.annotate(
        values_seen=Subquery(seen.values("values")[:1]),
        may_be_confirmed=ExpressionWrapper(_waits(now), output_field=BooleanField()),
    )


def _waits(now: datetime) -> Q:
    newest = PolicyVersion.objects.order_by("-number").values("number")[:1]
    return Q(
        state=PolicyProposal.State.WAITING,
        seen=Coalesce(Subquery(newest), 0),
        lapses_at__gte=now,
    )


def effects_of_proposal(row: PolicyProposal) -> list[Effect]:
    """What one of `proposals` would change in the version it saw; asks nothing more."""
    seen: Mapping[str, int] | None = row.values_seen  # type: ignore[attr-defined]
    return effects_of(valued(seen or {}, usual=installed()), row.changes)


def waiting(*, now: datetime) -> QuerySet[PolicyProposal]:
    """Proposals somebody may still confirm."""
    return proposals(now=now).filter(_waits(now))


def confirm(*, proposal: PolicyProposal, by: User, now: datetime) -> PolicyVersion:
    """A second person agrees: the next version. Raises PolicyNeedsSecond for whoever proposed it,
    PolicyChanged, PolicyRefused."""
    with transaction.atomic():
        row = _undecided(proposal)
        if row.proposed_by_id == by.pk:
            raise PolicyNeedsSecond("you proposed this change; somebody else confirms it")
        if now > row.lapses_at:
            raise PolicyChanged("this proposal lapsed; propose it again if it is still wanted")
        held = _seen(row.seen)
        changed = _refuse_unfit(held.values, row.changes, row.reason)
        version = _make(held, changed, row.reason, by=row.proposed_by, second=by, now=now)
        row.version = version
        _decide(row, PolicyProposal.State.CONFIRMED, by, now)
    return version


def decline(*, proposal: PolicyProposal, by: User, now: datetime) -> PolicyProposal:
    """Somebody of the staff, who proposed it included, takes it off the table. Raises
    PolicyChanged."""
    with transaction.atomic():
        row = _undecided(proposal)
        _decide(row, PolicyProposal.State.DECLINED, by, now)
    return row


def _undecided(proposal: PolicyProposal) -> PolicyProposal:
    rows = PolicyProposal.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("proposed_by").get(pk=proposal.pk)
    if row.state != PolicyProposal.State.WAITING:
        raise PolicyChanged(f"this proposal was {row.state} already")
    return row


def _decide(row: PolicyProposal, state: str, by: User, now: datetime) -> None:
    row.state, row.decided_by, row.decided_at = state, by, now
    row.save(update_fields=["state", "decided_by", "decided_at", "version"])


def _seen(number: int) -> Policy:
    """The newest version, if it is the one that was looked at."""
    held = _policy(_newest())
    if number != held.number:
        raise PolicyChanged("somebody changed the policy since you opened it; look at it again")
    return held


def _make(
    held: Policy,
    changed: Mapping[str, int],
    reason: str,
    *,
    by: User,
    second: User | None,
    now: datetime,
) -> PolicyVersion:
    newest = _newest()
    values = {**(newest.values if newest else {}), **changed}
    row = PolicyVersion(
        number=held.number + 1,
        values=values,
        reason=reason.strip(),
        changed_by=by,
        seconded_by=second,
        changed_at=now,
    )
    try:
        with transaction.atomic():
            row.evidence_id = _log(row, held.values, changed)
            row.save(force_insert=True)
    except (IntegrityError, EvidenceAlreadyRecorded) as error:
        raise PolicyChanged("somebody changed the policy at the same time; look again") from error
    return row


def _newest() -> PolicyVersion | None:
    return PolicyVersion.objects.order_by("-number").first()


def _refuse_unfit(
    was: Mapping[str, int], changes: Mapping[str, int], reason: str
) -> dict[str, int]:
    if unknown := sorted(changes.keys() - SETTINGS.keys()):
        raise PolicyRefused(f"there is no setting {unknown[0]!r}: {', '.join(SETTINGS)}")
    if not LEAST_REASON <= len(reason.strip()) <= LONGEST_REASON:
        raise PolicyRefused(f"say why, in {LEAST_REASON} to {LONGEST_REASON} characters")
    changed = {key: value for key, value in changes.items() if value != was[key]}
    if not changed:
        raise PolicyRefused("nothing would change: this is the policy already")
    if wrong := faults({**was, **changed}):
        raise PolicyRefused(next(iter(wrong.values())), wrong)
    return changed


def _log(row: PolicyVersion, was: Mapping[str, int], changed: Mapping[str, int]) -> str:
    rows = [
        {"key": key, "before": was[key], "after": value} for key, value in sorted(changed.items())
    ]
    return evidence.append(
        kind="policy.changed",
        subjects={"policy": row.pk},
        facts={"number": row.number, "changes": rows}
        | ({"seconded": True} if row.seconded_by_id else {}),
        digests={"policy": digest(row.values)},
        private={
            "reason": row.reason,
            "by": row.changed_by_id,
            **({"seconded_by": row.seconded_by_id} if row.seconded_by_id else {}),
        },
        at=row.changed_at,
        dedupe_key=f"policy.changed:{row.number}",
    ).id
