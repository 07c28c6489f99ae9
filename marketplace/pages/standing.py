"""Standing, explained: from a number to the evidence that moved it; badges; buyers' records."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace import credentials
from marketplace.models import StandingCredential
from marketplace.pages import agent_view, wording
from marketplace.pages.attempts import attempt_button
from marketplace.pages.charts import Trace, trace
from marketplace.pages.rates import rate_of_standing
from marketplace.pages.visitors import acting_of, find, now_of, party_of
from pacts.models import Agent, AgentVersion, Party
from reputation import indicators, queries
from reputation.clock import database_now
from reputation.indicators import Signals
from reputation.models import StandingPoint
from reputation.queries import AgentStanding

PER_PAGE = 25
BADGE_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLine:
    """One of the five signals: its name, its value now, what it means, and its way so far."""

    name: str
    value: str
    meaning: str
    trace: Trace | None


def agent_standing(request: HttpRequest, slug: str) -> HttpResponse:
    """Every dimension, the five signals, and what moved them; of one version or of all."""
    agent = find(agent_view.agents(), slug=slug)
    version = _version(agent, request.GET.get("version", ""))
    now = now_of(request)
    standing = queries.standing_of(
        agent_id=agent.id, version_id=version.id if version else None, now=now
    )
    before = request.GET.get("before", "")
    points = indicators.points_of(
        agent_id=agent.id,
        limit=PER_PAGE + 1,
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
    )
    numbers = {one.id: one.number for one in agent.versions.all()}
    acting = acting_of(request)
    is_own = bool(acting and acting.party and acting.party.id == agent.builder_id)
    context = {
        "agent": agent,
        "standing": standing,
        "version": numbers.get(standing.version_id or ""),
        "versions": [(numbers.get(key), key) for key in queries.versions_of(agent_id=agent.id)],
        "lines": [
            (rate_of_standing(one, version=numbers.get(one.version_id)), one)
            for _, one in sorted(standing.dimensions.items())
        ],
        "signals": signal_lines(agent, standing, now=now),
        "found": indicators.signals_for(standing),
        "points": [(point, numbers.get(point.version_id)) for point in points[:PER_PAGE]],
        "more": points[PER_PAGE - 1].pk if len(points) > PER_PAGE else None,
        "is_own": is_own,
        "credentials": list(_credentials(agent)[:PER_PAGE]) if is_own else [],
        "now": now,
        "badge": request.build_absolute_uri(reverse("badge", args=[agent.slug])),
    }
    return render(request, "agents/standing.html", context)


def _version(agent: Agent, number: str) -> AgentVersion | None:
    """The version asked for, else the one on offer."""
    if number.isascii() and number.isdigit() and len(number) < 9:
        return find(agent.versions.all(), number=number)
    listing = agent_view.listing_of(agent)
    return listing.agent_version if listing else None


def signal_lines(agent: Agent, standing: AgentStanding, *, now: datetime) -> list[SignalLine]:
    """The five signals of the version, each with its history."""
    found = indicators.signals_for(standing)
    past = indicators.points_of(agent_id=agent.id, version_id=standing.version_id or "-")[::-1]
    return [
        SignalLine(
            name="Benchmark fit",
            value=_percent(found.benchmark_fit_bps),
            meaning="How near the latest benchmark claim is to what was measured. For screening.",
            trace=trace([indicators.fit(one.claim_bps, one.shown_bps) for one in past]),
        ),
        SignalLine(
            name="Pact compliance",
            value=_percent(found.compliance_bps),
            meaning=_of_verdicts(found),
            trace=trace([_met(one) for one in past]),
        ),
        SignalLine(
            name="Score confidence",
            value=_percent(found.confidence_bps),
            meaning="All of 100 % less the width of the widest interval.",
            trace=trace([one.confidence_bps for one in past]),
        ),
        SignalLine(
            name="Freshness",
            value=wording.age(found.freshness) if found.freshness is not None else "not yet",
            meaning="How long ago the newest evidence that counts was measured.",
            trace=None,
        ),
        SignalLine(
            name="Disputes per 100 tasks",
            value="not yet" if found.disputes_per_100 is None else f"{found.disputes_per_100:.2f}",
            meaning="Disputes that were ruled and lost; filing one counts for nothing.",
            trace=trace([_disputed(one) for one in past]),
        ),
    ]


def _percent(bps: int | None) -> str:
    return "not yet" if bps is None else wording.percent(bps, digits=1)


def _met(point: StandingPoint) -> int | None:
    decided = point.met + point.breached
    return 10_000 * point.met // decided if decided else None


def _disputed(point: StandingPoint) -> int | None:
    return 10_000 * point.disputes // point.tasks if point.tasks else None


def _of_verdicts(found: Signals) -> str:
    return f"Met among the verdicts that were met or breached, of {found.verdicts} that count."


def buyer(request: HttpRequest, party_id: str) -> HttpResponse:
    """What the log says of a buyer, to be read before work for it is accepted."""
    party = find(Party.objects.all(), pk=party_id)
    context = {"party": party, "record": indicators.buyer_of(buyer_id=party.id)}
    return render(request, "parties/buyer.html", context)


def badge(request: HttpRequest, slug: str) -> HttpResponse:
    """An image with the live value and its age, for pages elsewhere; it names nobody."""
    agent = find(agent_view.agents(), slug=slug)
    now = now_of(request)
    standing, rates = agent_view.standing_of(agent, now=now)
    score, ages = standing.composite.score_bps, [one.age for one in rates if one.age is not None]
    context = {
        "value": f"at least {wording.percent(score, digits=1)}" if score is not None else "new",
        "tone": "#666" if score is None else _TONES[standing.composite.status],
        "age": wording.age(min(ages)) if ages and score is not None else "no number yet",
    }
    answer = render(request, "agents/badge.svg", context, content_type="image/svg+xml")
    answer.headers["Cache-Control"] = f"public, max-age={BADGE_SECONDS}"
    return answer


_TONES = {"met": "#1a6b3c", "breached": "#a4262c", "undetermined": "#7a5b00"}


def credential_new(request: HttpRequest, slug: str) -> HttpResponse:
    """The builder has the standing of the version on offer signed, to carry it elsewhere."""
    agent = find(agent_view.agents().filter(builder=party_of(request)), slug=slug)
    back = reverse("agent_standing", args=[agent.slug])

    def effect() -> str:
        version = _version(agent, "") or agent.versions.all()[0]
        credentials.issue(agent_version=version, now=database_now())
        return f"{back}#credentials"

    return attempt_button(request, effect, back=back)


def credential_end(request: HttpRequest, credential_id: str) -> HttpResponse:
    """The builder revokes a credential, for good."""
    rows = StandingCredential.objects.filter(agent__builder=party_of(request))
    found = find(rows.select_related("agent"), pk=credential_id)
    back = reverse("agent_standing", args=[found.agent.slug])

    def effect() -> str:
        credentials.revoke(credential=found, now=database_now())
        return f"{back}#credentials"

    return attempt_button(request, effect, back=back)


def _credentials(agent: Agent) -> QuerySet[StandingCredential]:
    return StandingCredential.objects.filter(agent=agent).select_related("agent_version")
