"""What stands beside a finding: the builder's words, and how it can be contested."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from marketplace import contesting, replies
from marketplace.contesting import Way
from marketplace.models import Incident
from marketplace.pages.visitors import acting_of, now_of
from pacts.models import Evaluation

_PAGES = {"dispute": "dispute", "recheck": "evaluation_rerun", "verify": "evaluation_bundle"}


def beside(request: HttpRequest, about: Evaluation | Incident) -> dict[str, Any]:
    """Replies, who may write one, and where; of a run also the ways to contest it."""
    acting = acting_of(request)
    party = acting.party if acting else None
    name = "evaluation" if isinstance(about, Evaluation) else "incident"
    found: list[tuple[Way, str]] = []
    if isinstance(about, Evaluation) and party is not None:
        found = [
            (one, _link(one)) for one in contesting.ways(about, party=party, now=now_of(request))
        ]
    return {
        "replies": list(replies.replies_to(about)),
        "may_reply": replies.may_reply(about, party),
        "own_reply": replies.may_reply(about, party),
        "reply_url": reverse(f"{name}_reply", args=[about.pk]),
        "contest": found,
    }


def _link(way: Way) -> str:
    if way.key in _PAGES:
        return reverse(_PAGES[way.key], args=[way.about])
    return reverse("evaluators") if way.key == "third_party" else "#replies"
