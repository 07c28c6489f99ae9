"""Standing, explained: from a number to the evidence that moved it; badges; buyers' records."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace import credentials
from marketplace.models import StandingCredential
from marketplace.pages import agent_view, signal_view, standing_way, wording
from marketplace.pages.attempts import attempt_button
from marketplace.pages.control_view import restrictions_on
from marketplace.pages.credential_forms import CredentialForm
from marketplace.pages.rates import Rate, rate_of_standing
from marketplace.pages.visitors import acting_of, find, now_of, party_of
from pacts.models import Agent, AgentVersion, Party
from reputation import contributions, indicators, queries
from reputation.clock import database_now
from reputation.contributions import Contribution, NumberUnknown
from reputation.models import StandingPoint
from reputation.queries import AgentStanding
from reputation.standing import DimensionStanding
from settlement.exposure import Room
from settlement.kinship import ties_of
from settlement.limits import room_for
from settlement.turnover import turnover_of

PER_PAGE = 25
MOST_DRAWN = 120  # changes in a signal's line
BADGE_SECONDS = 300
UNSAID = _lazy("no number yet")


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
    past = indicators.points_of(agent_id=agent.id, limit=MOST_DRAWN)
    numbers = {one.id: one.number for one in agent.versions.all()}
    about = request.GET.get("about", "")
    context = {
        "agent": agent,
        "about": about,
        "parts": parts_of(
            contributions.of_agent,
            agent_id=agent.id,
            version_id=standing.version_id or "",
            about=about,
            seen=request.GET.get("seen", ""),
        ),
        "standing": standing,
        "version": numbers.get(standing.version_id or ""),
        "versions": [(numbers.get(key), key) for key in queries.versions_of(agent_id=agent.id)],
        "lines": _lines(standing, past, numbers),
        "signals": signal_view.lines(standing, past, numbers=numbers),
        **standing_way.drawn(past, numbers=numbers),
        "figures": turnover_of(agent_id=agent.id),
        "listing": agent_view.listing_of(agent),
        "room": (room := _room(agent, standing, now=now)),
        "narrowed": _is_narrowed(room[1], agent, now=now),
        "found": indicators.signals_for(standing),
        "points": [(point, numbers.get(point.version_id)) for point in points[:PER_PAGE]],
        "more": points[PER_PAGE - 1].pk if len(points) > PER_PAGE else None,
        "newest": max((o.last_evidence_at for o in standing.dimensions.values()), default=None),
        "now": now,
        "badge": request.build_absolute_uri(reverse("badge", args=[agent.slug])),
    }
    return render(request, "agents/standing.html", context | _own(request, agent, standing))


def _lines(
    standing: AgentStanding, past: Sequence[StandingPoint], numbers: Mapping[str, int]
) -> list[tuple[Rate, DimensionStanding, StandingPoint | None]]:
    """Each dimension as it is drawn, by name, with what moved it last."""
    return [
        (
            rate_of_standing(one, version=numbers.get(one.version_id)),
            one,
            signal_view.newest_of(past, one),
        )
        for _, one in sorted(standing.dimensions.items())
    ]


def _own(request: HttpRequest, agent: Agent, standing: AgentStanding) -> dict[str, object]:
    """What the builder alone sees: its credentials, and what ties it to other parties."""
    acting = acting_of(request)
    if not (acting and acting.party and acting.party.id == agent.builder_id):
        return {"is_own": False}
    return {
        "is_own": True,
        "ties": ties_of(party_id=agent.builder_id),
        "credentials": list(_credentials(agent)[:PER_PAGE]),
        "form": CredentialForm(standing=standing),
    }


def _room(agent: Agent, standing: AgentStanding, *, now: datetime) -> tuple[str, Room]:
    """What may be held on the agent at once, in its offer's currency."""
    listing = agent_view.listing_of(agent)
    currency = listing.currency if listing else "EUR"
    version_id = standing.version_id or ""
    return currency, room_for(agent_id=agent.id, version_id=version_id, currency=currency, now=now)


def _is_narrowed(room: Room, agent: Agent, *, now: datetime) -> bool:
    """Whether the limit is that of a control, which the agent's page tells in full."""
    found = restrictions_on(agent.id, now=now)
    return any(one.restriction.sentence in room.limit.because for one in found)


def _version(agent: Agent, number: str) -> AgentVersion | None:
    """The version asked for, else the one on offer."""
    if number.isascii() and number.isdigit() and len(number) < 9:
        return find(agent.versions.all(), number=number)
    listing = agent_view.listing_of(agent)
    return listing.agent_version if listing else None


def buyer(request: HttpRequest, party_id: str) -> HttpResponse:
    """What the log says of a buyer, to be read before work for it is accepted."""
    party = find(Party.objects.all(), pk=party_id)
    about, seen = request.GET.get("about", ""), request.GET.get("seen", "")
    context = {
        "party": party,
        "record": indicators.buyer_of(buyer_id=party.id),
        "about": about,
        "parts": parts_of(contributions.of_buyer, buyer_id=party.id, about=about, seen=seen),
    }
    return render(request, "parties/buyer.html", context)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a number is made of, a page of it; `seen` begins the next page, `sums` are of this
    one, by name and currency, where it is all."""

    rows: list[Contribution]
    seen: str
    sums: list[tuple[str, int, str]]


def parts_of(read: Callable[..., list[Contribution]], *, about: str, seen: str, **of: str) -> Parts:
    """The parts of the number asked about; none when no number is."""
    try:
        found = read(about=about, before=seen, limit=PER_PAGE + 1, **of) if about else []
    except NumberUnknown as error:
        raise Http404(str(error)) from error
    rows, more = found[:PER_PAGE], len(found) > PER_PAGE
    sums: Counter[tuple[str, str]] = Counter()
    if not more and not seen and about != "claim":
        for one in rows:
            for name, count in one.adds.items():
                sums[name, one.currency] += count
    added = [(name, count, currency) for (name, currency), count in sums.items()]
    return Parts(rows, rows[-1].place if more else "", added)


def badge(request: HttpRequest, slug: str) -> HttpResponse:
    """An image with the live value and its age, for pages elsewhere; it names nobody."""
    agent = find(agent_view.agents(), slug=slug)
    now = now_of(request)
    standing, rates = agent_view.standing_of(agent, now=now)
    score, ages = standing.composite.score_bps, [one.age for one in rates if one.age is not None]
    context = {
        "value": _("at least %(score)s") % {"score": wording.percent(score, digits=1)}
        if score is not None
        else _("new"),
        "tone": "#666" if score is None else _TONES[standing.composite.status],
        "age": _said_of(standing, rates, min(ages)) if ages and score is not None else UNSAID,
    }
    answer = render(request, "agents/badge.svg", context, content_type="image/svg+xml")
    answer.headers["Cache-Control"] = f"public, max-age={BADGE_SECONDS}"
    return answer


def _said_of(standing: AgentStanding, rates: list[Rate], age: timedelta) -> str:
    """Version, units and age: without them a number says nothing."""
    units = wording.plural(standing.composite.units, "unit")
    return f"v{rates[0].version} · {units} · {wording.age(age)}"


_TONES = {"met": "#1a6b3c", "breached": "#a4262c", "undetermined": "#7a5b00"}


def credential_new(request: HttpRequest, slug: str) -> HttpResponse:
    """The builder has the standing of the version on offer signed, to carry it elsewhere."""
    agent = find(agent_view.agents().filter(builder=party_of(request)), slug=slug)
    back = reverse("agent_standing", args=[agent.slug])

    def effect() -> str:
        version = _version(agent, "") or agent.versions.all()[0]
        now = database_now()
        standing = queries.standing_of(agent_id=agent.id, version_id=version.id, now=now)
        wanted = CredentialForm(request.POST, standing=standing).wanted()
        credentials.issue(agent_version=version, now=now, **wanted)
        return f"{back}#credentials"

    return attempt_button(request, effect, back=f"{back}#credentials")


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
