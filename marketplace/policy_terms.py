"""What the platform may set, within which bounds, and what no setting may break. Pure.

A policy is a mapping of these keys to whole numbers; a key it does not set has its default. Nothing
here may make money wait longer than what was always published (`LONGEST_SECONDS`, and ten days for
a payout). What is about money needs a second person (`MONEY_TERMS`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from pacts.procedure import limits
from pacts.procedure.clocks import DAY, FULL, HOUR, SMALL, Periods, answer_by
from pacts.procedure.limits import KIB, RULES
from pacts.procedure.ruleset import rules_of, unit_of
from settlement.cooldowns import COOLDOWNS, cooldowns_of
from settlement.exposure import PUBLISHED, steps_of

Unit = Literal["bps", "hours", "days", "business days", "units", "count", "KiB"]
Group = Literal[
    "Fees", "Windows", "Disputes", "Small claims", "Limits", "Money held on an agent", "Payouts"
]
BANDS = (1, 2, 3)  # of a fee that falls with the amount, beyond the first rate
# The worst day to open a dispute on: business days then skip the most weekends.
_FRIDAY = datetime(2026, 1, 2, tzinfo=UTC)
_MOST_UNITS = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One number the platform sets: `least` to `most`, in `unit`."""

    title: str
    group: Group
    unit: Unit
    least: int
    most: int
    default: int


def _of_periods(prefix: str, group: Group, usual: Periods) -> dict[str, Setting]:
    def one(name: str, title: str, least: int = 0) -> Setting:
        in_days, span = unit_of(name, usual) == DAY, getattr(usual, name)
        working = name == "answer" and usual.business_days
        return Setting(
            title=title,
            group=group,
            unit="business days" if working else "days" if in_days else "hours",
            least=1 if in_days else least,
            most=15 if working else 60 if in_days else 720,
            default=int(span / (DAY if in_days else HOUR)),
        )

    return {
        f"{prefix}_answer": one("answer", "Answer by the other side", 12),
        f"{prefix}_negotiation": one("negotiation", "Negotiation"),
        f"{prefix}_evidence": one("evidence", "Evidence", 12),
        f"{prefix}_review": one("review", "Ruling by the desk"),
        f"{prefix}_challenge": one("challenge", "Time to challenge a ruling", 12),
        f"{prefix}_appeal": one("appeal", "Appeal"),
        f"{prefix}_appeal_evidence": one("appeal_evidence", "Evidence on appeal"),
        f"{prefix}_backstop": one("backstop", "Backstop if nobody rules"),
    }


def _limit(title: str, unit: Unit, least: int, most: int, default: int) -> Setting:
    return Setting(title=title, group="Limits", unit=unit, least=least, most=most, default=default)


def _fees() -> Iterator[tuple[str, Setting]]:
    yield (
        "fee_bps",
        Setting(
            title="Fee on what was earned",
            group="Fees",
            unit="bps",
            least=0,
            most=3_000,
            default=500,
        ),
    )
    for band in BANDS:
        above = f"Band {band} begins above (0: there is none)"
        yield (
            f"band_{band}_above",
            Setting(title=above, group="Fees", unit="units", least=0, most=_MOST_UNITS, default=0),
        )
        yield (
            f"band_{band}_bps",
            Setting(
                title=f"Fee in band {band}",
                group="Fees",
                unit="bps",
                least=0,
                most=3_000,
                default=0,
            ),
        )


def _exposure() -> Iterator[tuple[str, Setting]]:
    def one(title: str, unit: Unit, least: int, most: int, default: int) -> Setting:
        return Setting(
            title=title,
            group="Money held on an agent",
            unit=unit,
            least=least,
            most=most,
            default=default,
        )

    yield (
        "exposure_breached",
        one("After a breach", "units", 100, 10_000_000, PUBLISHED.breached // 100),
    )
    yield "exposure_new", one("For a newcomer", "units", 100, 10_000_000, PUBLISHED.newcomer // 100)
    for row, step in enumerate(PUBLISHED.earned, 1):
        key = f"exposure_{row}"
        yield (
            f"{key}_units",
            one(f"Step {row}: from so many units", "count", 20, 1_000_000, step.least_units),
        )
        yield (
            f"{key}_lower",
            one(f"Step {row}: and this lower bound", "bps", 1, 9_999, step.least_lower_bps),
        )
        yield (
            f"{key}_limit",
            one(f"Step {row}: it may carry", "units", 100, 10_000_000, step.limit // 100),
        )


def _payouts() -> Iterator[tuple[str, Setting]]:
    for row, (since, wait) in enumerate(COOLDOWNS):
        if row:
            yield (
                f"payout_age_{row}",
                Setting(
                    title=f"Step {row}: an account from this age on",
                    group="Payouts",
                    unit="days",
                    least=1,
                    most=730,
                    default=since.days,
                ),
            )
        yield (
            f"payout_wait_{row}",
            Setting(
                title=f"Step {row}: waits" if row else "A new account waits",
                group="Payouts",
                unit="days",
                least=0,
                most=COOLDOWNS[0][1].days,
                default=wait.days,
            ),
        )


_AFTER = ("no dispute", "one dispute", "two disputes", "three disputes or more")
SETTINGS: Mapping[str, Setting] = {
    **dict(_fees()),
    "funding": Setting(
        title="Time to fund what was signed",
        group="Windows",
        unit="hours",
        least=1,
        most=720,
        default=72,
    ),
    **_of_periods("full", "Disputes", FULL),
    **_of_periods("small", "Small claims", SMALL),
    "small_claim": _limit("Small claims up to", "units", 0, 10_000, RULES.small_claim.units),
    "second_person": _limit(
        "A second person confirms above", "units", 0, 1_000_000, RULES.second_person.units
    ),
    **{
        f"deposit_after_{lost}": _limit(
            f"Deposit after {_AFTER[lost]} lost", "bps", 0, 3_000, RULES.deposit_bps[lost]
        )
        for lost in range(4)
    },
    **{
        f"open_after_{lost}": _limit(
            f"Open disputes after {_AFTER[lost]} lost", "count", 1, 1_000, RULES.most_open[lost]
        )
        for lost in range(4)
    },
    "lost_window": _limit("Lost disputes count for", "days", 1, 730, RULES.lost_window.days),
    "exhibit_size": _limit(
        "Largest item of evidence", "KiB", 16, 2_048, RULES.largest_exhibit // KIB
    ),
    "exhibits_each": _limit("Items of evidence of one side", "count", 1, 100, RULES.most_exhibits),
    **dict(_exposure()),
    **dict(_payouts()),
}
# What moves, takes or limits money: two people change it.
MONEY_TERMS: frozenset[str] = frozenset(
    key
    for key, one in SETTINGS.items()
    if one.group in ("Fees", "Money held on an agent", "Payouts")
    or key.startswith(("deposit_after", "small_claim", "second_person"))
)


def needs_second(changes: Mapping[str, int]) -> bool:
    """Whether these settings are changed by two people, one proposing and one confirming."""
    return not MONEY_TERMS.isdisjoint(changes)


def installed(*, fee_bps: int, bands: Sequence[tuple[int, int]] = ()) -> dict[str, int]:
    """An installation's own defaults; `bands` are (above, in hundredths; basis points)."""
    found = {"fee_bps": fee_bps}
    for band, (above, bps) in zip(BANDS, bands, strict=False):
        found |= {f"band_{band}_above": above // 100, f"band_{band}_bps": bps}
    return found


def valued(values: Mapping[str, int], *, usual: Mapping[str, int] | None = None) -> dict[str, int]:
    """Every setting's value; `usual` are the installation's own defaults."""
    whole = {key: one.default for key, one in SETTINGS.items()} | dict(usual or {})
    return whole | {key: value for key, value in values.items() if key in SETTINGS}


def bands_of(values: Mapping[str, int]) -> list[tuple[int, int]]:
    """The fee's further bands in use: (above, in hundredths; basis points)."""
    return [
        (values[f"band_{band}_above"] * 100, values[f"band_{band}_bps"])
        for band in BANDS
        if values[f"band_{band}_above"]
    ]


def faults(values: Mapping[str, int]) -> dict[str, str]:
    """Why these values (all of them) cannot be in force together, by key; empty when they can."""
    found = {
        key: f"{one.title}: between {one.least} and {one.most} {one.unit}"
        for key, one in SETTINGS.items()
        if not one.least <= values[key] <= one.most
    }
    return found or {
        **_of_disputes(values),
        **_of_bands(values),
        **_of_exposure(values),
        **_of_payouts(values),
    }


def _of_disputes(values: Mapping[str, int]) -> dict[str, str]:
    rules, found = rules_of(values), {}
    for prefix, periods in (("full", rules.full), ("small", rules.small)):
        if _before_a_ruling(periods) > periods.backstop:
            found[f"{prefix}_backstop"] = (
                "the backstop would end cases before the desk had its time to rule: the steps "
                "before it, together, take longer"
            )
        if periods.longest.total_seconds() > limits.LONGEST_SECONDS:
            found[f"{prefix}_appeal"] = (
                "backstop, challenge and appeal together keep money waiting longer than the "
                f"{limits.LONGEST_SECONDS // 86_400} days that every engagement was planned with"
            )
    if values["small_claim"] > values["second_person"]:
        found["small_claim"] = "a claim that needs a second person is not small"
    for lost in range(1, 4):
        if values[f"deposit_after_{lost}"] < values[f"deposit_after_{lost - 1}"]:
            found[f"deposit_after_{lost}"] = "who lost more cannot set aside less"
        if values[f"open_after_{lost}"] > values[f"open_after_{lost - 1}"]:
            found[f"open_after_{lost}"] = "who lost more cannot have more disputes open"
    return found


def _before_a_ruling(periods: Periods) -> timedelta:
    answered = answer_by(_FRIDAY, periods) - _FRIDAY
    heard = answered + periods.negotiation + periods.evidence
    return heard + periods.recheck + periods.review


def _of_bands(values: Mapping[str, int]) -> dict[str, str]:
    found: dict[str, str] = {}
    above, bps, ended = 0, values["fee_bps"], False
    for band in BANDS:
        begins, rate = values[f"band_{band}_above"], values[f"band_{band}_bps"]
        if not begins:
            ended = True
            continue
        if ended or begins <= above:
            found[f"band_{band}_above"] = "bands rise: each begins above the one before it"
        if rate > bps:
            found[f"band_{band}_bps"] = "a further band cannot take more than the one before it"
        above, bps = begins, rate
    return found


def _of_exposure(values: Mapping[str, int]) -> dict[str, str]:
    steps, found = steps_of(values), {}
    if steps.breached > steps.newcomer:
        found["exposure_breached"] = "a breached agent cannot carry more than a newcomer"
    before = None
    for row, step in enumerate(steps.earned, 1):
        if step.limit < (before.limit if before else steps.newcomer):
            found[f"exposure_{row}_limit"] = "who proved more cannot carry less"
        if before and step.least_units <= before.least_units:
            found[f"exposure_{row}_units"] = "each step asks for more units than the one before it"
        if before and step.least_lower_bps < before.least_lower_bps:
            found[f"exposure_{row}_lower"] = "no step asks for less than the one before it"
        before = step
    return found


def _of_payouts(values: Mapping[str, int]) -> dict[str, str]:
    rows, found = cooldowns_of(values), {}
    for row in range(1, len(rows)):
        if rows[row][0] <= rows[row - 1][0]:
            found[f"payout_age_{row}"] = "each step is for older accounts than the one before it"
        if rows[row][1] > rows[row - 1][1]:
            found[f"payout_wait_{row}"] = "an older account cannot wait longer"
    return found
