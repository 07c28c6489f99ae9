"""The five signals: each with its value, its meaning and its way there, version by version."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.pages import wording
from marketplace.pages.charts import Trace, trace
from reputation import indicators
from reputation.indicators import Signals
from reputation.models import StandingPoint
from reputation.queries import AgentStanding
from reputation.standing import DimensionStanding

UNKNOWN = _lazy("not yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLine:
    """One of the five: its name, its value now, what it means, and its way so far; `about` names
    what it is made of (`reputation.contributions`).

    `spread` says between which values the line runs; the newest of them is the present one.
    """

    name: str
    about: str
    value: str
    meaning: str
    trace: Trace | None
    spread: str
    evidence_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How one signal is read from a point, and said."""

    name: Promise
    about: str
    meaning: Callable[[Signals], str]
    now: Callable[[Signals], str]
    then: Callable[[StandingPoint], int | None]
    said: Callable[[int], str]


def lines(
    standing: AgentStanding, points: Sequence[StandingPoint], *, numbers: Mapping[str, int]
) -> list[SignalLine]:
    """The five signals of a standing; `points` are the agent's, newest first, of every version."""
    found = indicators.signals_for(standing)
    return [_line(kind, found, points, numbers) for kind in _KINDS]


def newest_of(points: Sequence[StandingPoint], one: DimensionStanding) -> StandingPoint | None:
    """The newest of these points that moved this dimension of this version."""
    return next(
        (
            point
            for point in points
            if point.version_id == one.version_id and one.dimension in point.changes
        ),
        None,
    )


def _line(
    kind: _Kind, found: Signals, points: Sequence[StandingPoint], numbers: Mapping[str, int]
) -> SignalLine:
    drawn = trace([(numbers.get(one.version_id), kind.then(one)) for one in reversed(points)])
    own = (one for one in points if one.version_id == found.version_id)
    newest = next((one for one in own if kind.then(one) is not None), None)
    return SignalLine(
        name=str(kind.name),
        about=kind.about,
        value=kind.now(found),
        meaning=kind.meaning(found),
        trace=drawn,
        spread=_spread(kind, drawn) if drawn else "",
        evidence_id=newest.evidence_id if newest else "",
    )


def _spread(kind: _Kind, drawn: Trace) -> str:
    many = wording.plural(drawn.known, "change")
    if drawn.least == drawn.most:
        each = _("%(many)s, each at %(least)s") if drawn.known > 1 else _("%(many)s, at %(least)s")
        return each % {"many": many, "least": kind.said(drawn.least)}
    return _("%(many)s, between %(least)s and %(most)s") % {
        "many": many,
        "least": kind.said(drawn.least),
        "most": kind.said(drawn.most),
    }


def _percent(bps: int | None) -> str:
    return str(UNKNOWN) if bps is None else wording.percent(bps, digits=1)


def _met(point: StandingPoint) -> int | None:
    decided = point.met + point.breached
    return 10_000 * point.met // decided if decided else None


def _disputed(point: StandingPoint) -> int | None:
    """Hundredths of a dispute per 100 tasks."""
    return 10_000 * point.disputes // point.tasks if point.tasks else None


def _fresh(found: Signals) -> str:
    return str(UNKNOWN) if found.freshness is None else wording.age(found.freshness)


def _disputes(found: Signals) -> str:
    if found.disputes_per_100 is None:
        return str(UNKNOWN)
    return wording.local(f"{found.disputes_per_100:.2f}")


_KINDS = (
    _Kind(
        name=_lazy("Benchmark fit"),
        about="claim",
        meaning=lambda found: _(
            "How near the newest benchmark claim is to what was measured. For screening."
        ),
        now=lambda found: _percent(found.benchmark_fit_bps),
        then=lambda point: indicators.fit(point.claim_bps, point.shown_bps),
        said=_percent,
    ),
    _Kind(
        name=_lazy("Pact compliance"),
        about="compliance",
        meaning=lambda found: (
            _("Met among those met or breached, of %(verdicts)s.")
            % {"verdicts": wording.plural(found.verdicts, "counting verdict")}
        ),
        now=lambda found: _percent(found.compliance_bps),
        then=_met,
        said=_percent,
    ),
    _Kind(
        name=_lazy("Score confidence"),
        about="everything",
        meaning=lambda found: _("All of 100\u202f% less the width of the widest interval."),
        now=lambda found: _percent(found.confidence_bps),
        then=lambda point: point.confidence_bps,
        said=_percent,
    ),
    _Kind(
        name=_lazy("Freshness"),
        about="everything",
        meaning=lambda found: _(
            "When the newest evidence that counts was measured; the line is its age at each change."
        ),
        now=_fresh,
        then=lambda point: point.freshness_seconds,
        said=wording.span,
    ),
    _Kind(
        name=_lazy("Disputes per 100 tasks"),
        about="disputes",
        meaning=lambda found: (
            _("%(disputes)s ruled against it in %(tasks)s; filing one counts for nothing.")
            % {
                "disputes": wording.plural(found.disputes, "dispute"),
                "tasks": wording.plural(found.tasks, "task"),
            }
        ),
        now=_disputes,
        then=_disputed,
        said=lambda hundredths: wording.local(f"{hundredths / 100:.2f}"),
    ),
)
