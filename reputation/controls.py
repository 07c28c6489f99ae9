"""Controls: a metric, a threshold, an owner, a cadence and what happens. Pure; no rows, no clock.

A control fires when its metric is strictly past the threshold and clears when it reaches
`recover_at`, which lies on the good side: between the two nothing changes, so that a figure that
trembles around a threshold does not switch a listing on and off. What is not known fires nothing
and clears nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Direction = Literal["below", "above"]
Step = Literal["fire", "clear", "stay"]

LONGEST_CADENCE_DAYS = 366
LONGEST_HOLD_DAYS = 30
LARGEST_COUNT = 10**9
DECADE_DAYS = 3_650


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is looked at. Values are whole numbers from `least` to `most`, in `unit`.

    `margin` is how far back past the threshold it must come to clear, unless the control says.
    """

    title: str
    unit: Literal["bps", "days", "hundredths", "count", "yes"]
    fires: Direction
    least: int
    most: int
    margin: int
    by_dimension: bool = False


METRICS: Mapping[str, Metric] = {
    "lower_bound": Metric(
        title="Lower bound of the standing",
        unit="bps",
        fires="below",
        least=0,
        most=10_000,
        margin=200,
        by_dimension=True,
    ),
    "compliance_rate": Metric(
        title="Pact compliance rate",
        unit="bps",
        fires="below",
        least=0,
        most=10_000,
        margin=200,
    ),
    "freshness_days": Metric(
        title="Days since the newest counted evidence",
        unit="days",
        fires="above",
        least=0,
        most=DECADE_DAYS,
        margin=0,
    ),
    "disputes_per_100": Metric(
        title="Disputes per 100 tasks",
        unit="hundredths",
        fires="above",
        least=0,
        most=10_000,
        margin=50,
    ),
    "critical_breaches": Metric(
        title="Settled verdicts with a critical clause breached",
        unit="count",
        fires="above",
        least=0,
        most=1_000_000,
        margin=0,
    ),
    "live_breaches": Metric(
        title="Promises shown broken on production calls in the last 30 days",
        unit="count",
        fires="above",
        least=0,
        most=1_000_000,
        margin=0,
    ),
    "drift_alarms": Metric(
        title="Drifts to act on in production calls of the last 30 days",
        unit="count",
        fires="above",
        least=0,
        most=1_000_000,
        margin=0,
    ),
    "units": Metric(
        title="Units of evidence",
        unit="count",
        fires="below",
        least=0,
        most=LARGEST_COUNT,
        margin=0,
    ),
    "version_changed": Metric(
        title="The version on offer has no evidence of its own, an earlier one has",
        unit="yes",
        fires="above",
        least=0,
        most=1,
        margin=0,
    ),
    "review_overdue_days": Metric(
        title="Days by which the review of a control over it is overdue",
        unit="days",
        fires="above",
        least=0,
        most=DECADE_DAYS,
        margin=0,
    ),
    "frozen": Metric(
        title="A person froze it over what the gaming watch saw",
        unit="yes",
        fires="above",
        least=0,
        most=1,
        margin=0,
    ),
}

# Action → what it does, in the words of whoever is told.
ACTIONS: Mapping[str, str] = {
    "narrow": "narrow how much money may be held on the agent",
    "re_evaluate": "take no new engagement until a re-evaluation is met",
    "escalate": "ask a person to look",
    "route_elsewhere": "send new hires to other agents of the same kind",
    "withhold": "keep money from being released by silence",
    "suspend": "suspend the listing",
}
SCOPES = ("agent", "listing", "builder", "category", "platform")
_SINGLE = ("agent", "listing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a control says. `limit` is hundredths of a currency; `dimension` "" is all together."""

    metric: str
    threshold: int
    recover_at: int
    scope: str
    scope_id: str
    action: str
    cadence_days: int
    dimension: str = ""
    limit: int | None = None
    hold_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an agent stands: what a control's scope is held against."""

    agent_id: str
    builder_id: str
    category: str
    listing_id: str = ""
    version_id: str = ""

    def is_in(self, scope: str, scope_id: str) -> bool:
        """Whether a control of this scope is about this agent."""
        return scope == "platform" or scope_id == {
            "agent": self.agent_id,
            "listing": self.listing_id or None,
            "builder": self.builder_id,
            "category": self.category,
        }.get(scope)


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric's value, None while unknown; `basis` changes when there is new evidence for it."""

    value: int | None
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is certain about a scope when a control is set; None is unknown or mixed.

    `members` are agents in it; `promised` the dimensions anybody in it promises; `present_limit`
    and `largest_limit` hundredths; `others` listings a hire could go to; `has_tasks` whether there
    is anything to re-evaluate on.
    """

    members: int | None
    largest_limit: int
    promised: frozenset[str] | None = None
    present_limit: int | None = None
    listing_state: str | None = None
    is_listed: bool | None = None
    others: int | None = None
    has_tasks: bool | None = None


def default_recovery(metric: str, threshold: int) -> int:
    """The threshold and the metric's margin past it, within its range."""
    found = METRICS[metric]
    if found.fires == "below":
        return min(threshold + found.margin, found.most)
    return max(threshold - found.margin, found.least)


def is_past(metric: str, threshold: int, value: int) -> bool:
    """Whether a value is strictly past the threshold, in the direction the metric fires."""
    return value < threshold if METRICS[metric].fires == "below" else value > threshold


def has_recovered(terms: Terms, value: int) -> bool:
    """Whether a value reached the mark on the good side."""
    if METRICS[terms.metric].fires == "below":
        return value >= terms.recover_at
    return value <= terms.recover_at


def decide(*, terms: Terms, reading: Reading, is_firing: bool, forgiven: str | None) -> Step:
    """Fire, clear or leave it as it is.

    `forgiven` is the basis of the reading when a person or a re-evaluation last lifted it: the same
    evidence does not fire twice.
    """
    if reading.value is None:
        return "stay"
    if is_firing:
        return "clear" if has_recovered(terms, reading.value) else "stay"
    past = is_past(terms.metric, terms.threshold, reading.value)
    return "fire" if past and forgiven != reading.basis else "stay"


def faults(terms: Terms, around: Surroundings) -> list[str]:
    """Why this control would do nothing, or could not be kept; empty when it can be saved."""
    if terms.metric not in METRICS:
        return [f"there is no metric {terms.metric!r}: choose one of {', '.join(METRICS)}"]
    return [
        *_threshold_faults(terms),
        *_scope_faults(terms, around),
        *_action_faults(terms, around),
        *_cadence_faults(terms),
    ]


def _threshold_faults(terms: Terms) -> list[str]:
    metric, found = METRICS[terms.metric], []
    least, most, threshold = metric.least, metric.most, terms.threshold
    if not least <= threshold <= most:
        return [f"the threshold lies outside {least} to {most}, so it says nothing of this metric"]
    if metric.fires == "below" and threshold == least:
        found.append(f"nothing is below {threshold}, so it can never fire: raise the threshold")
    if metric.fires == "above" and threshold == most:
        found.append(f"nothing is above {threshold}, so it can never fire: lower the threshold")
    if not least <= terms.recover_at <= most:
        found.append(f"it clears at {terms.recover_at}, outside {least} to {most}, so never")
    elif is_past(terms.metric, threshold, terms.recover_at):
        found.append(
            "it clears where it still fires: set the recovery on the threshold's good side"
        )
    return found


def _scope_faults(terms: Terms, around: Surroundings) -> list[str]:
    if terms.scope not in SCOPES:
        return [f"there is no scope {terms.scope!r}: choose one of {', '.join(SCOPES)}"]
    if (terms.scope == "platform") != (terms.scope_id == ""):
        return ["name what it is about, except for the whole platform, which needs no name"]
    if around.members == 0:
        return [f"there is no agent in this {terms.scope}, so it can never fire"]
    if not terms.dimension:
        return []
    if not METRICS[terms.metric].by_dimension:
        return ["this metric is not measured by dimension: leave the dimension out"]
    if around.promised is not None and terms.dimension not in around.promised:
        known = ", ".join(sorted(around.promised)) or "none"
        return [f"nobody there promises {terms.dimension!r} (promised: {known}), so it never fires"]
    return []


def _action_faults(terms: Terms, around: Surroundings) -> list[str]:
    if terms.action not in ACTIONS:
        return [f"a control needs an action: choose one of {', '.join(ACTIONS)}"]
    found = []
    if terms.action != "narrow" and terms.limit is not None:
        found.append("only narrowing the exposure takes a limit: leave it out")
    if terms.action != "withhold" and terms.hold_days is not None:
        found.append("only withholding takes a number of days: leave it out")
    return [*found, *_ACTION_FAULTS[terms.action](terms, around)]


def _narrow_faults(terms: Terms, around: Surroundings) -> list[str]:
    if terms.limit is None or terms.limit < 0:
        return ["say to how much the exposure is narrowed"]
    if terms.limit >= around.largest_limit:
        return [
            f"nobody may carry more than {around.largest_limit} anyway, so narrowing to "
            f"{terms.limit} changes nothing"
        ]
    if around.present_limit is not None and terms.limit >= around.present_limit:
        return [
            f"it may carry {around.present_limit} now, so narrowing to {terms.limit} changes "
            "nothing: choose less"
        ]
    return []


def _re_evaluate_faults(terms: Terms, around: Surroundings) -> list[str]:
    if around.has_tasks is False:
        return ["there are no tasks to re-evaluate it on, so it could never be lifted"]
    return []


def _route_faults(terms: Terms, around: Surroundings) -> list[str]:
    if around.others == 0:
        return ["there is no other listing of this kind to send hires to: suspend it instead"]
    return []


def _withhold_faults(terms: Terms, around: Surroundings) -> list[str]:
    if terms.hold_days is None or not 1 <= terms.hold_days <= LONGEST_HOLD_DAYS:
        return [f"say for how many days money is withheld at the most: 1 to {LONGEST_HOLD_DAYS}"]
    return []


def _suspend_faults(terms: Terms, around: Surroundings) -> list[str]:
    if terms.scope in _SINGLE and around.is_listed is False:
        return ["it is not listed, so there is nothing to suspend"]
    if terms.scope in _SINGLE and around.listing_state == "suspended":
        return ["its listing is suspended already, so suspending it changes nothing"]
    return []


def _no_faults(terms: Terms, around: Surroundings) -> list[str]:
    return []


_ACTION_FAULTS = {
    "narrow": _narrow_faults,
    "re_evaluate": _re_evaluate_faults,
    "escalate": _no_faults,
    "route_elsewhere": _route_faults,
    "withhold": _withhold_faults,
    "suspend": _suspend_faults,
}


def _cadence_faults(terms: Terms) -> list[str]:
    if not 1 <= terms.cadence_days <= LONGEST_CADENCE_DAYS:
        return [f"say every how many days its owner reviews it: 1 to {LONGEST_CADENCE_DAYS}"]
    return []
