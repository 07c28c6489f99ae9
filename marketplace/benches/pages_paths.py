"""What the bench of the pages reads: addresses by page, those of the buyer with its cookie."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from marketplace import finding
from marketplace.benches.pages_words import PERSON, WORKS
from marketplace.models import SavedSearch
from pacts.models import Agent, Engagement, Evaluation, Precedent
from reputation.models import Evidence

SAMPLE = 20  # of each kind of thing


def paths() -> dict[str, list[str]]:
    """Addresses by the name of the page; `empty` renders nothing."""
    return {"empty": ["/bench/empty"], **_market(), **_agents(), **_own(), **_proof(), **_api()}


def _market() -> dict[str, list[str]]:
    last = Agent.objects.count() // finding.PER_PAGE
    return {
        "market": ["/"],
        "market, a later page": [f"/?page={max(1, last * n // 20)}" for n in range(1, 20)],
        "market, a search": [f"/?q={word}" for word in ("kestrel", "larch+planner", "invoices")],
        "market, a typo": [f"/?q={word}" for word in ("kestrl", "invoces", "harbor+parser")],
        "market, a kind": [f"/?work={work}-1&sort=benchmark" for work in WORKS],
        "market, a bound": ["/?least=9000", "/?least=8000&sort=price"],
        "market, all filters": [
            f"/?q={word}&least=7000&floor=accuracy:7000&fresh=30&most=300&currency=EUR&sort=price"
            for word in ("parser", "builder", "invoices")
        ],
        "market, nothing found": ["/?q=zzzzqx&most=1&currency=EUR", "/?least=9500&work=orders-1"],
        "screening": ["/screening/", "/screening/?page=2"],
        "screening, a kind": [f"/screening/?work={work}-1" for work in WORKS],
    }


def _agents() -> dict[str, list[str]]:
    slugs = _sample(list(Agent.objects.order_by("id").values_list("slug", flat=True)))
    fours = [slugs[n : n + 4] for n in range(0, len(slugs) - 3, 4)]
    return {
        "agent": [f"/agents/{slug}/" for slug in slugs],
        "standing": [f"/agents/{slug}/standing/" for slug in slugs],
        "compare": ["/compare/?" + "&".join(f"agent={slug}" for slug in four) for four in fours],
        "hire": [f"/agents/{slug}/hire/" for slug in slugs],
    }


def _own() -> dict[str, list[str]]:
    runs = Evaluation.objects.filter(requested_by__name="Bench buyer").order_by("id")
    hires = Engagement.objects.filter(buyer__name="Bench buyer").order_by("id")
    kept = SavedSearch.objects.filter(user__email=PERSON).order_by("id")
    return {
        "evaluations": ["/evaluations/", "/evaluations/?page=3"],
        "evaluation": [f"/evaluations/{run}/" for run in _ids(runs)],
        "engagements": ["/engagements/"],
        "engagement": [f"/engagements/{hire}/" for hire in _ids(hires)],
        "money": ["/money/"],
        "notices": ["/notices/", "/notices/?page=5"],
        "saved searches": ["/searches/"],
        "saved search": [f"/searches/{one}/" for one in _ids(kept)],
    }


def _proof() -> dict[str, list[str]]:
    entries = _sample(list(Evidence.objects.order_by("id").values_list("id", flat=True)))
    agents = _ids(Agent.objects.order_by("id"))
    return {
        "log": ["/log/"],
        "evidence": ["/evidence/", *(f"/evidence/?before={one}" for one in entries[1:])],
        "evidence of an agent": [f"/evidence/?subject={one}" for one in agents],
        "entry": [f"/evidence/{one}/" for one in entries],
        "precedents": ["/precedents/", "/precedents/?q=arithmetic", "/precedents/?page=4"],
        "precedent": [f"/precedents/{one}/" for one in _ids(Precedent.objects.order_by("id"))],
    }


def _api() -> dict[str, list[str]]:
    agents = _ids(Agent.objects.order_by("id"))
    api = "/api/v1"
    return {
        "listings, API": [f"{api}/listings?ordering=-rank", f"{api}/listings?ordering=price"],
        "listings, API, filtered": [
            f"{api}/listings?min_score_bps=8000&work=invoices-1",
            f"{api}/listings?q=kestrel&ordering=-score",
        ],
        "search, API": [f"{api}/search?q=kestrel&least=7000", f"{api}/search?page=9"],
        "agents, API": [f"{api}/agents", f"{api}/agents?work=orders-1"],
        "evidence, API": [f"{api}/evidence", *(f"{api}/evidence?subject={a}" for a in agents[:9])],
        "oracle, API": [f"{api}/oracle/{agent}" for agent in agents],
        "screening, API": [f"{api}/screening"],
    }


def _ids(rows: "QuerySet[Any]") -> list[str]:
    return _sample(list(rows.values_list("pk", flat=True)))


def _sample(found: Sequence[str]) -> list[str]:
    """So many of these, evenly."""
    return list(found[:: max(1, len(found) // SAMPLE)][:SAMPLE])
