"""A metered hire as its decisions need it: the locked row, its terms, pact, pauses and streams."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Q

from pacts import terms
from pacts.metering import MeteringTerms, deciding, metering_of
from pacts.models import CallStream, Engagement
from pacts.procedure.clocks import BACKSTOP_SECONDS
from pacts.terms import Clause, PactTerms, Window
from settlement.fees import bands_of
from settlement.metering import Span, Tariff
from settlement.models import Meter, MeterPause

# What a look may change; written once at its end, under the version it began with.
_CHANGING = (
    *("state", "reason", "funded", "paid", "fees", "returned", "held_back", "withheld"),
    *("funded_at", "expires_at", "breached_clause", "breach_evidence", "breaches_seen_to"),
    *("frozen_until", "closing_at", "closing_reason", "next_action_at", "ended_at"),
)


class MeterChanged(RuntimeError):
    """Somebody changed the meter in spite of its lock."""


@dataclass(slots=True)
class MeterCase:
    """One meter under its lock, in a transaction. `pauses` are all of it, oldest first."""

    meter: Meter
    terms: MeteringTerms
    tariff: Tariff
    pact: PactTerms
    clauses: Sequence[Clause]
    pauses: list[MeterPause]
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def engagement(self) -> Engagement:
        return self.meter.engagement

    @property
    def window(self) -> Window:
        """The window all deciding clauses share; it was checked when this was agreed."""
        window = self.clauses[0].window
        assert window is not None, "a metered pact has windows"
        return window

    @property
    def keys(self) -> list[str]:
        return [clause.key for clause in self.clauses]

    @property
    def critical(self) -> list[str]:
        return [clause.key for clause in self.pact.clauses if clause.critical]

    def streams(self) -> list[CallStream]:
        """Whose reports count, of the version that was hired: these are paid for."""
        return list(self.reports().filter(agent_version=self.engagement.agent_version_id))

    def reports(self) -> Any:
        """All reports of the side that counts, whichever version answered: these can stop it."""
        rows = CallStream.objects.filter(
            engagement=self.meter.engagement_id, independence=self.terms.counts
        )
        return rows.select_related("engagement").order_by("pk")

    def idle(self) -> list[Span]:
        """When calls do not count: pauses, and after the end."""
        spans = [Span(pause.began_at, pause.ended_at) for pause in self.pauses]
        closing = self.meter.closing_at
        return [*spans, Span(closing, None)] if closing else spans

    def waits(self, rule: str) -> timedelta:
        """How long an undetermined window may wait under a rule of the pact."""
        seconds = {
            "withhold": self.engagement.cure_seconds,
            "extend": self.engagement.evaluation_seconds,
        }.get(rule, BACKSTOP_SECONDS)
        return timedelta(seconds=seconds)

    def store(self) -> bool:
        """Write what changed, once; whether anything did. Raises MeterChanged."""
        now = _changing(self.meter)
        if now == self.before:
            return False
        version = self.meter.version
        stored = Meter.objects.filter(pk=self.meter.pk, version=version).update(
            **now, version=version + 1
        )
        if not stored:
            raise MeterChanged(f"{self.meter.pk} changed while it was locked")
        self.meter.version, self.before = version + 1, now
        return True


def locked(*, meter_id: str, skip_locked: bool = False) -> MeterCase | None:
    """The meter under its lock; None where somebody else holds it and `skip_locked`.

    Raises Meter.DoesNotExist.
    """
    rows = Meter.objects.select_for_update(of=("self",), no_key=True, skip_locked=skip_locked)
    rows = rows.select_related(
        "account", "engagement__pact_version", "engagement__agent_version", "engagement__builder"
    )
    meter = rows.filter(pk=meter_id).first()
    if meter is None:
        if not Meter.objects.filter(pk=meter_id).exists():
            raise Meter.DoesNotExist(f"there is no meter {meter_id}")
        return None
    case = case_of(meter)
    case.before = _changing(meter)
    return case


def case_of(meter: Meter) -> MeterCase:
    """A meter with its terms, to read; `locked` is for those who write."""
    pact = terms.parse(meter.engagement.pact_version.terms)
    return MeterCase(
        meter=meter,
        terms=metering_of(meter.terms),
        tariff=tariff_of(meter),
        pact=pact,
        clauses=deciding(pact),
        pauses=list(meter.pauses.order_by("began_at", "pk")),
    )


def tariff_of(meter: Meter) -> Tariff:
    """What was agreed, as the arithmetic takes it."""
    agreed = metering_of(meter.terms)
    return Tariff(
        price=agreed.price,
        basis=agreed.basis,
        per=agreed.per,
        holdback_bps=agreed.holdback_bps,
        fee_bps=meter.fee_bps,
        fee_bands=bands_of(meter.fee_bands),
    )


def of_side(party_id: str) -> Q:
    """The meters of a party's engagements, on either side."""
    return Q(engagement__buyer=party_id) | Q(engagement__builder=party_id)


def _changing(meter: Meter) -> dict[str, Any]:
    return {name: getattr(meter, name) for name in _CHANGING}
