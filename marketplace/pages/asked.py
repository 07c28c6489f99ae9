"""Pacts a buyer writes: what it asks of any agent, to try several by or to post a need under."""

from contextlib import suppress
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace.pages import pact_view
from marketplace.pages.attempts import attempt
from marketplace.pages.pact_forms import PactForm
from marketplace.pages.promises import clause_texts
from marketplace.pages.visitors import authority_of, find, party_of, user_of
from pacts import asking, terms, texts
from pacts.models import PactVersion
from pacts.templates_library import UnknownTemplate, library, template_called
from reputation.clock import database_now
from reputation.identifiers import is_id

PER_PAGE = 25


def asked_pacts(request: HttpRequest) -> HttpResponse:
    """The party's own pacts, newest first."""
    rows = PactVersion.objects.filter(pact__buyer=party_of(request)).select_related("pact")
    page = Paginator(rows.order_by("-published_at"), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "tryouts/asked_pacts.html", {"page": page})


def asked_pact(request: HttpRequest, asked_id: str) -> HttpResponse:
    """One of them, clause by clause; a posted one is read by builders through its need."""
    rows = PactVersion.objects.filter(pact__buyer=party_of(request)).select_related("pact")
    version = find(rows, pk=asked_id)
    context = {"version": version, "clauses": clause_texts(terms.parse(version.terms))}
    return render(request, "tryouts/asked_pact.html", context)


def asked_pact_new(request: HttpRequest) -> HttpResponse:
    """Write one: from a template, a published pact or an own one, with the review beside it.

    A press that asks for the review only signs nothing: no script need review while one types.
    """
    form = PactForm(request.POST or None, initial={"text": _start(request)})
    if form.is_valid() and request.POST.get("only") != "review":
        done = attempt(request, form, lambda: _ask(request, form), field="text")
        if done:
            return done
    context = {"form": form, "review": _review(form), "library": library()}
    return render(request, "tryouts/asked_pact_new.html", context)


def _start(request: HttpRequest) -> str:
    chosen = request.GET.get("from", "")
    found = _readable(request, chosen) if is_id(chosen) else None
    if found:
        return PactForm.written(found.terms)
    template = library()[0]
    with suppress(UnknownTemplate):
        template = template_called(request.GET.get("template", template.slug))
    return PactForm.written(terms.to_json(template.terms))


def _readable(request: HttpRequest, version_id: str) -> PactVersion | None:
    rows = PactVersion.objects.filter(pk=version_id, published_at__isnull=False)
    own = rows.filter(pact__buyer=party_of(request)).first()
    return own or rows.filter(pact__agent__isnull=False).first()


def _ask(request: HttpRequest, form: PactForm) -> str:
    assert form.source is not None, "a form that is valid has read its text"
    data: Any = form.source.value
    version = asking.ask(
        buyer=party_of(request),
        data=data,
        by=user_of(request),
        authority=authority_of(request),
        now=database_now(),
    )
    return reverse("asked_pact", args=[version.id])


def _review(form: PactForm) -> pact_view.Review:
    source = form.source if form.is_bound else texts.read(str(form.initial["text"]))
    if source is None:
        return pact_view.Review(problem=" ".join(map(str, form.errors.get("text", ()))))
    return pact_view.review(source)
