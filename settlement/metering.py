"""What a window of calls costs, what a meter waits for, and how long a budget lasts. Pure.

A window's price follows from what was counted and from its verdict, exactly, as a fraction of
minor units; it is rounded once, to the nearest unit, a half to the builder (`half-up-1`, which is
`largest-remainder-1` for two). What is due is paid as far as the budget holds. Of it the holdback
waits. The fee is taken from what reaches the builder, so the fees of all payments together are the
fee of their sum, to the unit.

The boundary is the platform's: at exactly a deadline the action is still allowed.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from settlement.fees import FeeBand, apportion
from settlement.shares import WHOLE, divide

RULE = "half-up-1"
Outcome = Literal["met", "breached", "undetermined"]
_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The calls of one window: each is in exactly one of these.

    `verified`: checked, and nothing was wrong. `failed`: a check failed or the agent did.
    `platform` and `buyer`: their fault. `unchecked`: no clause said anything. `outside`: received
    while paused or frozen, before the funding or after the end.
    """

    verified: int = 0
    failed: int = 0
    platform: int = 0
    buyer: int = 0
    unchecked: int = 0
    outside: int = 0

    @property
    def calls(self) -> int:
        return (
            self.verified + self.failed + self.platform + self.buyer + self.unchecked + self.outside
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What was agreed: `price` minor units for `per` verified calls, or for a whole window."""

    price: int
    basis: Literal["call", "window"]
    per: int = 1
    holdback_bps: int = 0
    fee_bps: int = 0
    fee_bands: tuple[FeeBand, ...] = ()

    @property
    def least(self) -> int:
        """The least budget that can still pay for anything: one call, or one window's unit."""
        return max(1, math.ceil(Fraction(self.price, self.per))) if self.basis == "call" else 1

    def base(self, counted: Counted, part: Fraction) -> Fraction:
        """The exact price of a met window of which `part` (0 to 1) was run."""
        if self.basis == "call":
            return Fraction(self.price * counted.verified, self.per)
        return self.price * part

    def fee_of(self, amount: int) -> int:
        """The fee of everything paid so far."""
        return apportion(
            amount=amount, share_bps=WHOLE, fee_bps=self.fee_bps, fee_bands=self.fee_bands
        ).fee


@dataclass(frozen=True, slots=True)
class Payment:
    """Minor units: `net` to the builder and `fee` to the platform."""

    net: int
    fee: int


def payment_of(amount: int, *, paid_before: int, tariff: Tariff) -> Payment:
    """What of `amount` is fee, after `paid_before` (fees included) was paid already."""
    fee = tariff.fee_of(paid_before + amount) - tariff.fee_of(paid_before)
    return Payment(net=amount - fee, fee=fee)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """One window in minor units: `due` = `uncovered` + `covered`, and `covered` = `unearned` +
    `earned`, `earned` = `paid` + `fee` + `held_back`."""

    exact: Fraction
    due: int
    covered: int
    earned: int
    held_back: int
    paid: int
    fee: int

    @property
    def rounding(self) -> Fraction:
        """What rounding added, at most half a minor unit either way."""
        return self.due - self.exact


def due_of(exact: Fraction) -> int:
    """Rounded to the nearest minor unit, a half up: to whoever earned it."""
    return math.floor(exact + _HALF)


def reckon(
    *, exact: Fraction, award_bps: int, available: int, paid_before: int, tariff: Tariff
) -> Reckoning:
    """A window whose price is `exact`, of which `award_bps` is paid as far as `available` goes."""
    due = due_of(exact)
    covered = min(due, available)
    earned, _ = divide(covered, (award_bps, WHOLE - award_bps))
    payable, held_back = divide(earned, (WHOLE - tariff.holdback_bps, tariff.holdback_bps))
    paid = payment_of(payable, paid_before=paid_before, tariff=tariff)
    return Reckoning(
        exact=exact,
        due=due,
        covered=covered,
        earned=earned,
        held_back=held_back,
        paid=paid.net,
        fee=paid.fee,
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """What a window's verdict means for its money: a share to pay now, or a wait.

    `waits` is the pact's rule while it is undetermined: `withhold`, `extend` or `human_review`.
    """

    share_bps: int
    code: str
    waits: Literal["", "withhold", "extend", "human_review"] = ""


def judge(
    *,
    outcome: Outcome,
    earned_share_bps: int,
    rule: str,
    vetoed: bool,
    on_breach: Literal["refund", "prorate"],
    measured: bool = True,
) -> Judged:
    """The share of a window's price, by its verdict and the rule the pact names.

    `measured` is false where the verdict never came: then no share was measured to prorate by.
    """
    if outcome == "met":
        return Judged(earned_share_bps, "window_met")
    if outcome == "breached":
        if vetoed or on_breach == "refund":
            return Judged(0, "window_breached")
        return Judged(earned_share_bps, "window_breached_prorated")
    if rule == "release":
        return Judged(WHOLE, "window_released")
    if rule == "prorate" and measured:
        return Judged(earned_share_bps, "window_prorated")
    if rule == "withhold":
        return Judged(WHOLE, "window_withheld", "withhold")
    if rule == "extend":
        return Judged(WHOLE, "window_extended", "extend")
    return Judged(WHOLE, "window_reviewed", "human_review")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFacts:
    """Everything a meter's next step rests on. `unsettled`: windows whose calls are not settled;
    `waiting_until`: the last deadline of a window that waits for a decision."""

    expires_at: datetime
    evaluation: timedelta
    cooling: timedelta
    available: int
    least: int
    held_back: int
    paused: bool = False
    frozen_until: datetime | None = None
    closing_at: datetime | None = None
    unsettled: bool = False
    waiting_until: datetime | None = None
    stopped: bool = False  # it closed after a critical breach: nothing held back is paid


@dataclass(frozen=True, slots=True)
class Stay:
    """Look again strictly after `until`; `returns` says that what is free goes back already."""

    state: Literal["running", "paused", "frozen", "closing"]
    until: datetime
    code: str
    returns: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """No more calls count from `at` on."""

    at: datetime
    code: str


@dataclass(frozen=True, slots=True)
class End:
    """All is settled: the holdback is paid, unless the promise was broken; the rest returns."""

    pays_holdback: bool


Step = Stay | Close | End


def step_of(facts: MeterFacts, *, now: datetime) -> Step:
    """The one thing to do or to wait for. Total, and time alone ends every meter."""
    if facts.closing_at is not None:
        return _closing(facts, facts.closing_at, now)
    if facts.frozen_until is not None:
        if now > facts.frozen_until:
            return Close(now, "meter_stopped")
        return Stay("frozen", facts.frozen_until, "meter_frozen")
    if now > facts.expires_at:
        return Close(facts.expires_at, "meter_expired")
    if facts.available < facts.least and facts.waiting_until is None:
        return Close(now, "meter_exhausted")
    if facts.paused:
        return Stay("paused", facts.expires_at, "meter_paused")
    return Stay("running", facts.expires_at, "meter_running")


def _closing(facts: MeterFacts, closing_at: datetime, now: datetime) -> Step:
    judged_by = closing_at + facts.evaluation
    if facts.unsettled and now <= judged_by:
        return Stay("closing", judged_by, "meter_settling")
    if facts.waiting_until is not None and now <= facts.waiting_until:
        return Stay("closing", facts.waiting_until, "meter_waiting", returns=True)
    cooled_at = closing_at + facts.cooling
    if facts.held_back and not facts.stopped and now <= cooled_at:
        return Stay("closing", cooled_at, "meter_cooling", returns=True)
    return End(pays_holdback=not facts.stopped)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start`, itself still outside of it, to before `end`; None has not ended."""

    start: datetime
    end: datetime | None


def part_run(*, start: datetime, end: datetime, pauses: Iterable[Span]) -> Fraction:
    """Which part of the time from `start` to `end` was not paused; the pauses do not overlap."""
    whole = (end - start) // timedelta(microseconds=1)
    if whole <= 0:
        return Fraction(0)
    lost = timedelta(0)
    for pause in pauses:
        until = min(end, pause.end or end)
        lost += max(timedelta(0), until - max(start, pause.start))
    return Fraction(whole - lost // timedelta(microseconds=1), whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runway:
    """What is left: `free` minor units after what the open window has cost so far (`accrued`),
    how many calls that pays, and how long at the present rate; None where nothing says."""

    accrued: int
    free: int
    calls: int | None
    windows: int | None
    seconds: int | None

    @property
    def is_short(self) -> bool:
        """Less than a day, or nothing at all."""
        return self.free == 0 or (self.seconds is not None and self.seconds < 86_400)


def runway_of(
    *,
    tariff: Tariff,
    available: int,
    open_windows: Sequence[Fraction],
    calls_per_second: float | None,
    calls_per_window: int | None = None,
    seconds_per_window: int | None = None,
) -> Runway:
    """The runway, where `open_windows` are the exact prices of windows not settled yet."""
    accrued = min(available, sum(due_of(exact) for exact in open_windows))
    free = available - accrued
    calls = windows = seconds = None
    if tariff.basis == "call":
        calls = free * tariff.per // tariff.price
    else:
        windows = free // tariff.price
        calls = windows * calls_per_window if calls_per_window else None
        seconds = windows * seconds_per_window if seconds_per_window else None
    if seconds is None and calls is not None and calls_per_second:
        seconds = int(min(calls / calls_per_second, 10**9))
    return Runway(accrued=accrued, free=free, calls=calls, windows=windows, seconds=seconds)
