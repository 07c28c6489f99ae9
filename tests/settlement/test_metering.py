"""The arithmetic of metered hires, and that no meter locks: laws over every case, no database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.fees import FeeBand
from settlement.metering import (
    Close,
    Counted,
    End,
    MeterFacts,
    Span,
    Stay,
    Tariff,
    due_of,
    judge,
    part_run,
    payment_of,
    reckon,
    runway_of,
    step_of,
)

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)

AMOUNT = st.integers(0, 10**15 - 1)
BPS = st.integers(0, 10_000)
BANDS = st.sampled_from([(), (FeeBand(0, 500), FeeBand(1_000, 333), FeeBand(77_777, 1))])


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    basis = draw(st.sampled_from(["call", "window"]))
    return Tariff(
        price=draw(st.integers(1, 10**9)),
        basis=basis,  # type: ignore[arg-type]
        per=draw(st.integers(1, 10**6)) if basis == "call" else 1,
        holdback_bps=draw(st.integers(0, 5_000)),
        fee_bps=draw(BPS),
        fee_bands=draw(BANDS),
    )


@given(tariffs(), st.integers(0, 10**6), st.integers(0, 10_000), BPS, AMOUNT, AMOUNT)
def test_the_parts_of_a_window_add_up_to_the_unit(
    tariff: Tariff, verified: int, part: int, award: int, available: int, before: int
) -> None:
    exact = tariff.base(Counted(verified=verified), Fraction(part, 10_000))
    found = reckon(
        exact=exact, award_bps=award, available=available, paid_before=before, tariff=tariff
    )
    assert 0 <= found.earned <= found.covered <= found.due
    assert found.covered <= available
    assert found.earned == found.paid + found.fee + found.held_back
    assert min(found.paid, found.fee, found.held_back) >= 0
    assert found.exact + found.rounding == found.due
    assert abs(found.rounding) <= Fraction(1, 2)


@given(tariffs(), st.lists(st.integers(0, 10**9), max_size=30))
def test_the_fees_of_all_payments_are_the_fee_of_their_sum(
    tariff: Tariff, payments: list[int]
) -> None:
    before = fees = 0
    for amount in payments:
        paid = payment_of(amount, paid_before=before, tariff=tariff)
        assert paid.net >= 0
        assert paid.fee >= 0
        before, fees = before + amount, fees + paid.fee
    assert fees == tariff.fee_of(sum(payments))


def test_half_a_minor_unit_goes_to_the_builder() -> None:
    assert [due_of(Fraction(n, 4)) for n in range(1, 8)] == [0, 1, 1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("rule", "measured", "share", "waits"),
    [
        ("release", True, 10_000, ""),
        ("release", False, 10_000, ""),
        ("prorate", True, 6_000, ""),
        ("prorate", False, 10_000, "human_review"),  # nothing was measured to prorate by
        ("withhold", True, 10_000, "withhold"),
        ("extend", True, 10_000, "extend"),
        ("human_review", True, 10_000, "human_review"),
        ("a rule of tomorrow", True, 10_000, "human_review"),
    ],
)
def test_an_undetermined_window_follows_the_rule_the_pact_names(
    rule: str, measured: bool, share: int, waits: str
) -> None:
    judged = judge(
        outcome="undetermined",
        earned_share_bps=6_000,
        rule=rule,
        vetoed=False,
        on_breach="refund",
        measured=measured,
    )
    assert (judged.share_bps, judged.waits) == (share, waits)


@pytest.mark.parametrize(
    ("vetoed", "on_breach", "share"),
    [(True, "refund", 0), (True, "prorate", 0), (False, "refund", 0), (False, "prorate", 4_000)],
)
def test_a_breached_window_pays_only_what_the_pact_prorates(
    vetoed: bool, on_breach: str, share: int
) -> None:
    judged = judge(
        outcome="breached",
        earned_share_bps=4_000,
        rule="release",
        vetoed=vetoed,
        on_breach=on_breach,  # type: ignore[arg-type]
    )
    assert (judged.share_bps, judged.waits) == (share, "")


def every_case() -> Iterator[MeterFacts]:
    """Every kind of meter there is, with times before, at and after each other."""
    moments = [None, T0, T0 + HOUR, T0 + 30 * HOUR]
    for available, held, paused, frozen, closing, unsettled, waiting, stopped in product(
        [0, 49, 50, 10_000],
        [0, 7],
        [False, True],
        moments,
        moments,
        [False, True],
        moments,
        [False, True],
    ):
        yield MeterFacts(
            expires_at=T0 + 10 * HOUR,
            evaluation=2 * HOUR,
            cooling=24 * HOUR,
            available=available,
            least=50,
            held_back=held,
            paused=paused,
            frozen_until=frozen if closing is None else None,
            closing_at=closing,
            unsettled=unsettled,
            waiting_until=waiting,
            stopped=stopped,
        )


def test_from_every_state_time_alone_ends_the_meter() -> None:
    seen: dict[str, int] = {}
    for case in every_case():
        facts, now = case, T0
        for _ in range(8):
            step = step_of(facts, now=now)
            if isinstance(step, End):
                break
            if isinstance(step, Close):
                seen[step.code] = seen.get(step.code, 0) + 1
                facts = replace(facts, closing_at=step.at, frozen_until=None)
                continue
            assert step.until >= now, "a moment that has passed would be looked at for ever"
            seen[step.code] = seen.get(step.code, 0) + 1
            now = step.until + TICK
            if facts.waiting_until and now > facts.waiting_until:  # the sweep decided it
                facts = replace(facts, waiting_until=None)
        else:
            raise AssertionError(f"no end in eight looks: {case}")
        assert now - T0 <= timedelta(hours=30 + 24 + 2) + 8 * TICK
    assert seen.keys() >= {
        *("meter_running", "meter_paused", "meter_frozen", "meter_stopped", "meter_expired"),
        *("meter_exhausted", "meter_settling", "meter_waiting", "meter_cooling"),
    }


def test_at_exactly_a_moment_it_still_waits_and_strictly_after_it_acts() -> None:
    facts = next(every_case())
    facts = replace(facts, available=10_000)
    assert isinstance(step_of(facts, now=facts.expires_at), Stay)
    assert step_of(facts, now=facts.expires_at + TICK) == Close(facts.expires_at, "meter_expired")
    frozen = replace(facts, frozen_until=T0 + HOUR)
    assert isinstance(step_of(frozen, now=T0 + HOUR), Stay)
    assert isinstance(step_of(frozen, now=T0 + HOUR + TICK), Close)


def test_the_part_that_ran_leaves_out_pauses_and_what_lies_outside() -> None:
    day = timedelta(days=1)
    found = part_run(
        start=T0,
        end=T0 + day,
        pauses=[Span(T0 - HOUR, T0 + 6 * HOUR), Span(T0 + 18 * HOUR, None)],
    )
    assert found == Fraction(1, 2)
    assert part_run(start=T0, end=T0, pauses=[]) == 0


def test_the_runway_tells_calls_and_time_at_the_present_rate() -> None:
    tariff = Tariff(price=50, basis="call", per=10)
    found = runway_of(
        tariff=tariff, available=1_000, open_windows=[Fraction(500)], calls_per_second=0.5
    )
    assert (found.accrued, found.free, found.calls, found.seconds) == (500, 500, 100, 200)
    assert found.is_short
    none = runway_of(tariff=tariff, available=100, open_windows=[], calls_per_second=None)
    assert (none.calls, none.seconds) == (20, None)


def test_the_runway_of_a_price_per_window_counts_windows() -> None:
    tariff = Tariff(price=300, basis="window")
    found = runway_of(
        tariff=tariff,
        available=1_000,
        open_windows=[Fraction(100)],
        calls_per_second=2.0,
        calls_per_window=40,
    )
    assert (found.windows, found.calls, found.seconds) == (3, 120, 60)
