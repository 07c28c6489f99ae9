"""A metered hire between alice and bob, and production calls that alice reports. Real rows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pacts import calls, calls_checking, live_windows
from pacts.engagements import Timers, sign_engagement
from pacts.metering import MeteringTerms
from pacts.models import Engagement
from settlement import ledger, metering_looks, meters
from settlement.models import Meter, MeterWindow
from tests import cast
from tests.pacts.live.hired import uuid7
from tests.settlement.hires import give

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
TIMERS = Timers(
    work_seconds=3600, evaluation_seconds=7200, acceptance_seconds=86_400, cure_seconds=43_200
)
EVALUATION, CURE, COOLING = timedelta(hours=2), timedelta(hours=12), timedelta(days=1)
RUNS = timedelta(days=10)
WINDOW = 40


def clause(key: str = "form", **changes: Any) -> dict[str, Any]:
    """A clause over calls in windows of 40, which 40 clean calls prove and 25 bad ones break."""
    fields: dict[str, Any] = {
        "check": "regex",
        "params": {"field": "label", "pattern": "[a-z]+"},
        "promise_bps": 9_000,
        "floor_bps": 5_000,
        "window": {"kind": "calls", "n": WINDOW},
        "risk_over": "lifetime",
        "on_undetermined": "withhold",
    }
    return cast.clause(key, **fields | changes)


def metering(**changes: Any) -> MeteringTerms:
    fields: dict[str, Any] = {
        "budget": 10_000,
        "price": 50,
        "holdback_bps": 1_000,
        "cooling_seconds": int(COOLING.total_seconds()),
        "runs_seconds": int(RUNS.total_seconds()),
    }
    return MeteringTerms(**fields | changes)


@dataclass(slots=True)
class Metered:
    """One metered engagement; `at` is the story's clock, a moment later with every report."""

    alice: cast.Actor
    bob: cast.Actor
    meter: Meter
    at: datetime = START

    @property
    def engagement(self) -> Engagement:
        return Engagement.objects.get(pk=self.meter.engagement_id)

    def now(self) -> Meter:
        self.meter = Meter.objects.select_related("engagement").get(pk=self.meter.pk)
        return self.meter

    def fund(self, *, key: str = "first") -> Meter:
        self.meter = meters.fund(
            meter=self.meter, by=self.alice.party, idempotency_key=key, now=self.at
        )
        return self.meter

    def report(self, good: int = 0, bad: int = 0, **changes: Any) -> None:
        """Calls that keep the form, then calls that break it, taken and checked at once."""
        self.at += TICK * 10
        records = [self.record(label="fine", **changes) for _ in range(good)]
        records += [self.record(label="NO 1", **changes) for _ in range(bad)]
        for start in range(0, len(records), 200):
            taken = calls.take_calls(
                reporter=self.alice.party, records=records[start : start + 200], now=self.at
            )
            assert taken.refused == []
        self.check()

    def check(self) -> None:
        while calls_checking.check_calls(now=self.at):
            pass

    def record(self, *, label: str = "fine", **changes: Any) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "call_id": uuid7(),
            "engagement": self.meter.engagement_id,
            "started_at": self.at.isoformat().replace("+00:00", "Z"),
            "latency_ms": 12.5,
            "output": {"label": label},
        }
        return {key: value for key, value in (fields | changes).items() if value is not None}

    def look(self, *, at: datetime | None = None) -> Meter:
        """What the sweeps do, in the order the clock gives them."""
        self.at = max(self.at, at or self.at)
        for stream in live_windows.due(now=self.at):
            live_windows.close_windows(stream_id=stream, now=self.at)
        metering_looks.look_due(now=self.at)
        return self.now()

    def window(self, number: int = 1) -> MeterWindow:
        return MeterWindow.objects.select_related("statement", "meter").get(
            meter=self.meter, number=number
        )

    def balances(self) -> tuple[int, int, int]:
        """What alice, bob and the platform hold, in minor units."""
        code = self.meter.currency
        return (
            ledger.balance_of(ledger.party_account(party=self.alice.party, currency=code)),
            ledger.balance_of(ledger.party_account(party=self.bob.party, currency=code)),
            ledger.balance_of(ledger.fee_account(currency=code)),
        )


def hire(
    *clauses: dict[str, Any],
    money: int | None = None,
    currency: str = "USD",
    fee_bps: int = 500,
    signed: bool = True,
    pact: dict[str, Any] | None = None,
    fee_bands: tuple[tuple[int, int], ...] = (),
    start: datetime = START,
    **changes: Any,
) -> Metered:
    """Signed by both, alice holding exactly the budget (or `money`), nothing funded."""
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob)
    wanted = clauses or (clause(),)
    weights = [each | {"weight_bps": 10_000 // len(wanted)} for each in wanted]
    agreed = metering(**changes)
    meter = meters.propose(
        buyer=alice.party,
        agent_version=version,
        pact_version=cast.pact_of(version, bob, cast.pact_terms(*weights, **pact or {})),
        currency=currency,
        fee_bps=fee_bps,
        fee_bands=fee_bands,
        metering=agreed,
        by=alice.user,
        timers=TIMERS,
        now=start,
    )
    for side in (alice, bob) if signed else ():
        sign_engagement(
            engagement=meter.engagement,
            party=side.party,
            by=side.user,
            authority="owner",
            now=start,
        )
    give(alice, agreed.budget if money is None else money, currency)
    return Metered(alice, bob, Meter.objects.get(pk=meter.pk), start)


def running(*clauses: dict[str, Any], **changes: Any) -> Metered:
    """A metered hire whose budget is set aside at START."""
    made = hire(*clauses, **changes)
    made.fund()
    return made
