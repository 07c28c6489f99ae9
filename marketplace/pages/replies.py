"""A builder's reply to a finding: written beside it, changed by another version, erased."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from marketplace import replies
from marketplace.models import FindingReply, Incident
from marketplace.pages.attempts import attempt_button
from marketplace.pages.visitors import authority_of, find, party_of, user_of
from pacts.models import Evaluation
from reputation.clock import database_now


def evaluation_reply(request: HttpRequest, evaluation_id: str) -> HttpResponse:
    """Say something to a concluded run of a hire."""
    own = Evaluation.objects.filter(agent_version__agent__builder=party_of(request))
    run = find(own.select_related("agent_version__agent"), pk=evaluation_id)
    return _reply(request, run, reverse("evaluation", args=[run.pk]))


def incident_reply(request: HttpRequest, incident_id: str) -> HttpResponse:
    """Say something to an incident."""
    own = Incident.objects.filter(agent__builder=party_of(request)).select_related("agent")
    found = find(own, pk=incident_id)
    return _reply(request, found, reverse("incident", args=[found.pk]))


def _reply(request: HttpRequest, about: Evaluation | Incident, back: str) -> HttpResponse:
    there = f"{back}#replies"

    def write() -> str:
        replies.reply(
            about=about,
            party=party_of(request),
            by=user_of(request),
            authority=authority_of(request),
            text=request.POST.get("text", ""),
            now=database_now(),
        )
        return there

    return attempt_button(request, write, back=there)


def reply_erasure(request: HttpRequest, reply_id: str) -> HttpResponse:
    """Take one's words away, in every version."""
    own = FindingReply.objects.filter(party=party_of(request))
    found = find(own.select_related("evaluation", "incident"), pk=reply_id)
    name = "evaluation" if found.evaluation_id else "incident"
    back = reverse(name, args=[found.evaluation_id or found.incident_id])

    def erase() -> str:
        replies.erase_reply(reply=found, now=database_now())
        return f"{back}#replies"

    return attempt_button(request, erase, back=back)
