"""What the platform may set, within which bounds, and what no setting may break. Pure.

A policy is a mapping of these keys to whole numbers; a key it does not set has its default. Nothing
here may make money wait longer than what was always published (`LONGEST_SECONDS`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from pacts.procedure import limits
from pacts.procedure.clocks import FULL, HOUR, SMALL, Periods, answer_by
from pacts.procedure.limits import KIB, RULES, Limit, Rules

Unit = Literal["bps", "hours", "days", "business days", "units", "count", "KiB"]
Group = Literal["Fees", "Windows", "Disputes", "Small claims", "Limits"]
_ONE_DAY = timedelta(days=1)
# The worst day to open a dispute on: business days then skip the most weekends.
_FRIDAY = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One number the platform sets: `least` to `most`, in `unit`."""

    title: str
    group: Group
    unit: Unit
    least: int
    most: int
    default: int


def _hours(span: timedelta) -> int:
    return int(span / HOUR)


def _of_periods(prefix: str, group: Group, usual: Periods) -> dict[str, Setting]:
    def hours(title: str, span: timedelta, least: int = 0) -> Setting:
        return Setting(
            title=title, group=group, unit="hours", least=least, most=720, default=_hours(span)
        )

    def days(title: str, span: timedelta) -> Setting:
        return Setting(title=title, group=group, unit="days", least=1, most=60, default=span.days)

    answer = (
        Setting(
            title="Answer by the other side",
            group=group,
            unit="business days",
            least=1,
            most=15,
            default=usual.answer.days,
        )
        if usual.business_days
        else hours("Answer by the other side", usual.answer, 12)
    )
    return {
        f"{prefix}_answer": answer,
        f"{prefix}_negotiation": hours("Negotiation", usual.negotiation),
        f"{prefix}_evidence": hours("Evidence", usual.evidence, 12),
        f"{prefix}_review": days("Ruling by the desk", usual.review),
        f"{prefix}_challenge": hours("Time to challenge a ruling", usual.challenge, 12),
        f"{prefix}_appeal": days("Appeal", usual.appeal),
        f"{prefix}_appeal_evidence": hours("Evidence on appeal", usual.appeal_evidence),
        f"{prefix}_backstop": days("Backstop if nobody rules", usual.backstop),
    }


def _limit(title: str, unit: Unit, least: int, most: int, default: int) -> Setting:
    return Setting(title=title, group="Limits", unit=unit, least=least, most=most, default=default)


_AFTER = ("no dispute", "one dispute", "two disputes", "three disputes or more")
SETTINGS: Mapping[str, Setting] = {
    "fee_bps": Setting(
        title="Fee on what was earned",
        group="Fees",
        unit="bps",
        least=0,
        most=3_000,
        default=500,
    ),
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
}


def valued(values: Mapping[str, int], *, fee_bps: int) -> dict[str, int]:
    """Every setting's value; `fee_bps` is the installation's own default."""
    usual = {key: one.default for key, one in SETTINGS.items()} | {"fee_bps": fee_bps}
    return usual | {key: value for key, value in values.items() if key in SETTINGS}


def rules_of(values: Mapping[str, int]) -> Rules:
    """The rules of disputes that these values (all of them, as `valued` gives) say."""
    return Rules(
        full=_periods("full", FULL, values),
        small=_periods("small", SMALL, values),
        small_claim=_scaled(RULES.small_claim, values["small_claim"]),
        second_person=_scaled(RULES.second_person, values["second_person"]),
        deposit_bps=tuple(values[f"deposit_after_{lost}"] for lost in range(4)),
        most_open=tuple(values[f"open_after_{lost}"] for lost in range(4)),
        lost_window=timedelta(days=values["lost_window"]),
        largest_exhibit=values["exhibit_size"] * KIB,
        most_exhibits=values["exhibits_each"],
    )


def _periods(prefix: str, usual: Periods, values: Mapping[str, int]) -> Periods:
    seconds = usual.seconds()
    for name in seconds:
        if found := SETTINGS.get(f"{prefix}_{name}"):
            span = HOUR if found.unit == "hours" else _ONE_DAY
            seconds[name] = int(span.total_seconds()) * values[f"{prefix}_{name}"]
    return Periods.of(seconds)


def _scaled(usual: Limit, units: int) -> Limit:
    """The same limit in every currency, in the proportions of the default."""
    by_currency = {
        currency: amount * units // usual.units for currency, amount in usual.by_currency.items()
    }
    return Limit(units, by_currency)


def faults(values: Mapping[str, int]) -> dict[str, str]:
    """Why these values (all of them) cannot be in force together, by key; empty when they can."""
    found = {
        key: f"{one.title}: between {one.least} and {one.most} {one.unit}"
        for key, one in SETTINGS.items()
        if not one.least <= values[key] <= one.most
    }
    return found or _crossed(values)


def _crossed(values: Mapping[str, int]) -> dict[str, str]:
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
