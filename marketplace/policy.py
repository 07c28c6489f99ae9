"""The platform's policy as versioned rows: every change is evidence, and binds new work alone.

An engagement lives under the policy in force when it was proposed; so do its disputes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.db import IntegrityError, transaction

from marketplace.policy_terms import SETTINGS, faults, rules_of, valued
from pacts.currencies import exponent_of
from pacts.models import Engagement, PolicyVersion, User
from pacts.procedure.limits import Rules
from reputation import evidence
from reputation.canonical import digest
from reputation.evidence import EvidenceAlreadyRecorded

LEAST_REASON = 10
LONGEST_REASON = 1000


class PolicyRefused(ValueError):
    """The change cannot be in force; `by_key` says why, setting by setting."""

    def __init__(self, message: str, by_key: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.by_key = dict(by_key or {})


class PolicyChanged(Exception):
    """Somebody else changed the policy in between."""


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

    def fee_bands_in(self, currency: str) -> list[tuple[int, int]]:
        """The fee's bands in a currency: (above, in minor units; basis points); none is flat.

        `PLATFORM_FEE_BANDS` counts hundredths; currencies of more decimals are scaled. Raises
        `pacts.currencies.CurrencyUnknown`.
        """
        scale: int = 10 ** max(0, exponent_of(currency) - 2)
        further = [
            (above * scale, min(bps, self.fee_bps)) for above, bps in settings.PLATFORM_FEE_BANDS
        ]
        return [(0, self.fee_bps), *further] if further else []


def at(moment: datetime) -> Policy:
    """The policy in force at this moment; at exactly a change it is the new one."""
    row = PolicyVersion.objects.filter(changed_at__lte=moment).order_by("-number").first()
    values = valued(row.values if row else {}, fee_bps=settings.PLATFORM_FEE_BPS)
    return Policy(row.number if row else 0, values)


def rules_for(engagement: Engagement) -> Rules:
    """The rules of disputes an engagement was proposed under."""
    return at(engagement.proposed_at).rules


def change(
    *, changes: Mapping[str, int], reason: str, seen: int, by: User, now: datetime
) -> PolicyVersion:
    """The next version: these settings changed, all others as they are.

    `seen` is the number of the version that was looked at. Raises PolicyRefused, PolicyChanged.
    """
    before = _newest()
    if seen != (before.number if before else 0):
        raise PolicyChanged("somebody changed the policy since you opened it; look at it again")
    was = valued(before.values if before else {}, fee_bps=settings.PLATFORM_FEE_BPS)
    changed = _refuse_unfit(was, changes, reason)
    values = {**(before.values if before else {}), **changed}
    row = PolicyVersion(
        number=seen + 1, values=values, reason=reason.strip(), changed_by=by, changed_at=now
    )
    try:
        with transaction.atomic():
            row.evidence_id = _log(row, was, changed)
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
        facts={"number": row.number, "changes": rows},
        digests={"policy": digest(row.values)},
        private={"reason": row.reason, "by": row.changed_by_id},
        at=row.changed_at,
        dedupe_key=f"policy.changed:{row.number}",
    ).id
