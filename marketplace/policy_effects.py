"""What a change of the platform's settings does, in a sentence each, with figures. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.policy_terms import MONEY_TERMS, SETTINGS

_EXAMPLE = 1_000  # units
_TITLES = {"full": "a dispute", "small": "a small claim"}
_LOST = ("no dispute", "one dispute", "two disputes", "three disputes or more")
_OF_PERIODS = {
    "answer": "In {where}, the other side has {after} instead of {before} to answer; who is silent "
    "loses.",
    "negotiation": "In {where}, both sides have {after} instead of {before} to agree before "
    "evidence is taken.",
    "evidence": "In {where}, both sides have {after} instead of {before} to bring evidence.",
    "review": "In {where}, the desk is to rule within {after} instead of {before}; after that the "
    "case is overdue.",
    "challenge": "In {where}, a ruling can be challenged for {after} instead of {before} before "
    "money moves.",
    "appeal": "In {where}, an appeal is decided within {after} instead of {before}, else the first "
    "ruling stands.",
    "appeal_evidence": "In {where}, both sides are heard on appeal for {after} instead of "
    "{before}.",
    "backstop": "In {where} nobody ruled on, the price returns to the buyer after {after} instead "
    "of {before}.",
}
_OTHERS = {
    "funding": "A buyer has {after} instead of {before} to fund what both sides signed.",
    "small_claim": "Claims up to {after} instead of {before} take the short path.",
    "second_person": "A ruling about more than {after} instead of {before} waits for a second "
    "adjudicator.",
    "lost_window": "A lost dispute counts for {after} instead of {before}.",
    "exhibit_size": "One item of evidence has at most {after} instead of {before}.",
    "exhibits_each": "One side brings at most {after} instead of {before} items of evidence.",
    "exposure_new": "At most {after} instead of {before} is held at once on an agent whose rate is "
    "not known yet.",
    "exposure_breached": "At most {after} instead of {before} is held at once on an agent with a "
    "breach.",
    "payout_wait_0": "A payout of a new account waits {after} instead of {before}.",
}


@dataclass(frozen=True, slots=True)
class Effect:
    """One changed setting: before and after with their units, and what follows from it."""

    key: str
    title: str
    before: str
    after: str
    sentence: str
    is_money: bool


def effects_of(was: Mapping[str, int], changes: Mapping[str, int]) -> list[Effect]:
    """What these changes do to these values (all of them), in the order of the console."""
    return [
        Effect(
            key=key,
            title=one.title,
            before=shown(key, before),
            after=shown(key, changes[key]),
            sentence=effect_of(key, before, changes[key]),
            is_money=key in MONEY_TERMS,
        )
        for key, one in SETTINGS.items()
        if key in changes and changes[key] != was[key]
        for before in [_before(key, was)]
    ]


def _before(key: str, was: Mapping[str, int]) -> int:
    """What held before: in a band of the fee that was not there, the rate of the one below it."""
    if not (key.startswith("band_") and key.endswith("_bps")):
        return was[key]
    number = int(key.split("_")[1])
    used = [was[f"band_{band}_bps"] for band in range(1, number + 1) if was[f"band_{band}_above"]]
    return used[-1] if used else was["fee_bps"]


def shown(key: str, value: int) -> str:
    """A setting's value as a person reads it: `5 %`, `72 hours`, `25,000 units`."""
    unit = SETTINGS[key].unit
    match unit:
        case "bps":
            return f"{value / 100:.2f}".rstrip("0").rstrip(".") + " %"
        case "units":
            return f"{value:,} {'unit' if value == 1 else 'units'}"
        case "count":
            return f"{value:,}"
        case "KiB":
            return f"{value:,} KiB"
        case _:
            return f"{value:,} {unit[:-1] if value == 1 else unit}"


def effect_of(key: str, before: int, after: int) -> str:
    """What changes, in a sentence with both figures. `units` are whole units of a currency of two
    decimals; the limits of other currencies keep their proportion to it."""
    figures = {"before": shown(key, before), "after": shown(key, after)}
    if key in _OTHERS:
        return _OTHERS[key].format(**figures)
    head, _, rest = key.partition("_")
    if head in _TITLES:
        return _OF_PERIODS[rest].format(where=_TITLES[head], **figures)
    number = rest.split("_")[0]
    match head:
        case "fee":
            return _of_fee("", before, after)
        case "band":
            if rest.endswith("_bps"):
                return _of_fee(f" in band {number} of the fee", before, after)
            return _of_band(number, before, after, figures)
        case "deposit":
            return (
                f"After {_LOST[int(key[-1])]} lost, whoever files sets aside {figures['after']} "
                f"instead of {figures['before']} of the disputed amount."
            )
        case "open":
            return (
                f"After {_LOST[int(key[-1])]} lost, a party has at most {figures['after']} instead "
                f"of {figures['before']} disputes open."
            )
    return _of_step(key, figures)


def _of_fee(where: str, before: int, after: int) -> str:
    return (
        f"Of {_EXAMPLE:,}.00 earned{where} the platform keeps {_EXAMPLE * after / 10_000:.2f} "
        f"instead of {_EXAMPLE * before / 10_000:.2f}."
    )


def _of_band(number: str, before: int, after: int, figures: Mapping[str, str]) -> str:
    if not after:
        return f"Band {number} of the fee, above {figures['before']}, is no more."
    if not before:
        return f"What a milestone earns above {figures['after']} falls into band {number}."
    return f"Band {number} of the fee begins above {figures['after']} instead of above " + (
        f"{figures['before']}."
    )


def _of_step(key: str, figures: Mapping[str, str]) -> str:
    head, number, what = (
        key.rsplit("_", 2) if key.startswith("exposure") else (*key.rsplit("_", 1), "")
    )
    after, before = figures["after"], figures["before"]
    sentences = {
        "payout_age": f"Step {number} of payouts is for accounts from {after} on, instead of "
        f"{before}.",
        "payout_wait": f"A payout of an account in step {number} waits {after} instead of "
        f"{before}.",
        "exposure_units": f"Step {number} of what an agent may carry begins at {after} instead of "
        f"{before} units that credible buyers vouch for.",
        "exposure_lower": f"Step {number} of what an agent may carry asks for a lower bound of "
        f"{after} instead of {before}.",
        "exposure_limit": f"At most {after} instead of {before} is held at once on an agent in "
        f"step {number}.",
    }
    return sentences[f"{head}_{what}" if what else head]
