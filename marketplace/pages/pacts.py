"""Pacts: the library to fork, the editor with its review, publication, and what versions change."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.pages import builder_view, pact_view
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.pact_forms import PactForm
from marketplace.pages.promises import clause_texts
from marketplace.pages.visitors import acting_of, authority_of, find, party_of, user_of
from pacts import publishing, terms, texts
from pacts.models import Agent, PactVersion
from pacts.pact_schema import pact_schema
from pacts.templates_library import Template, UnknownTemplate, library, template_called
from reputation.clock import database_now
from reputation.identifiers import is_id


def pact_templates(request: HttpRequest) -> HttpResponse:
    """The library."""
    return render(request, "pacts/templates.html", {"templates": library()})


def _template(slug: str) -> Template:
    try:
        return template_called(slug)
    except UnknownTemplate as error:
        raise Http404(str(error)) from error


def pact_template(request: HttpRequest, template: str) -> HttpResponse:
    """One template: what it promises, how long a verdict takes, its text, and who may fork it."""
    found = _template(template)
    acting = acting_of(request)
    own = builder_view.agents_of(acting.party) if acting and acting.party else ()
    context = {
        "template": found,
        "clauses": clause_texts(found.terms),
        "text": texts.write_yaml(found.terms),
        "agents": own,
    }
    return render(request, "pacts/template.html", context)


def pact_schema_file(request: HttpRequest) -> HttpResponse:
    """The pact language for editors that underline mistakes."""
    response = JsonResponse(
        pact_schema(), content_type="application/schema+json", json_dumps_params={"indent": 2}
    )
    response["Access-Control-Allow-Origin"] = "*"
    return response


def pact_changes(request: HttpRequest, version_id: str) -> HttpResponse:
    """What a published version changed of the one before it, clause by clause."""
    rows = PactVersion.objects.filter(published_at__isnull=False, pact__agent__isnull=False)
    rows = rows.select_related("pact__agent")
    version = find(rows, pk=version_id)
    before = pact_view.since_of(version)
    context = {
        "version": version,
        "before": before,
        "changes": pact_view.change_texts(
            old=terms.parse(before.terms), new=terms.parse(version.terms)
        )
        if before
        else [],
    }
    return render(request, "pacts/changes.html", context)


def _agent(request: HttpRequest, slug: str) -> Agent:
    return find(builder_view.agents_of(party_of(request)), slug=slug)


def pact_new(request: HttpRequest, slug: str) -> HttpResponse:
    """A new draft: from a template, from a published pact, or from the agent's own last text."""
    agent = _agent(request, slug)
    form = PactForm(request.POST or None, initial={"text": _start(request, agent)})
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _draft(agent, form), field="text")
        if done:
            return done
    return _editor(request, agent, None, form)


def _start(request: HttpRequest, agent: Agent) -> str:
    if request.GET.get("template"):
        template = _template(request.GET["template"])
        return PactForm.written(_named(terms.to_json(template.terms), agent))
    chosen = request.GET.get("from", "")
    published = PactVersion.objects.filter(published_at__isnull=False)
    found = published.filter(pk=chosen).first() if is_id(chosen) else None
    own = next(iter(builder_view.pact_versions_of(agent)), None)
    if found is None and own is not None:
        return PactForm.written(own.terms)
    return PactForm.written(_named(found.terms if found else builder_view.STARTER, agent))


def _named(data: dict[str, Any], agent: Agent) -> dict[str, Any]:
    return data | {"title": f"What {agent.name} promises"}


def _draft(agent: Agent, form: PactForm) -> str:
    version = publishing.draft_pact(agent=agent, data=_value(form))
    return reverse("pact_draft", args=[version.id])


def _value(form: PactForm) -> Any:
    assert form.source is not None, "a form that is valid has read its text"
    return form.source.value


def _drafts(request: HttpRequest, version_id: str) -> PactVersion:
    mine = PactVersion.objects.filter(pact__agent__builder=party_of(request), agreed_at=None)
    return find(mine.select_related("pact__agent"), pk=version_id)


def pact_draft(request: HttpRequest, version_id: str) -> HttpResponse:
    """Change a draft; a published version is only shown."""
    version = _drafts(request, version_id)
    assert version.pact.agent is not None, "a pact among one's agents' has an agent"
    agent = _agent(request, version.pact.agent.slug)
    if version.published_at:
        return redirect("agent", slug=agent.slug)
    form = PactForm(request.POST or None, initial={"text": PactForm.written(version.terms)})
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _change(version, form), field="text")
        if done:
            return done
    return _editor(request, agent, version, form)


def _change(version: PactVersion, form: PactForm) -> str:
    publishing.change_draft(version=version, data=_value(form))
    return reverse("pact_draft", args=[version.id])


def _editor(
    request: HttpRequest, agent: Agent, version: PactVersion | None, form: PactForm
) -> HttpResponse:
    context = {
        "agent": agent,
        "version": version,
        "form": form,
        "review": _review_of(form, agent, version),
        "library": library(),
        "published": builder_view.templates_for(agent),
        "since": _since(agent, version),
    }
    return render(request, "builder/pact.html", context)


def _since(agent: Agent, version: PactVersion | None) -> PactVersion | None:
    """The version a text would follow: the one published last."""
    if version:
        return pact_view.since_of(version)
    return next((one for one in builder_view.pact_versions_of(agent) if one.published_at), None)


def _review_of(form: PactForm, agent: Agent, version: PactVersion | None) -> pact_view.Review:
    source = form.source if form.is_bound else texts.read(str(form.initial["text"]))
    if source is None:
        return pact_view.Review(problem=" ".join(map(str, form.errors.get("text", ()))))
    deadline = agent.versions.all()[0].deadline_ms
    return pact_view.review(source, deadline_ms=deadline, since=_since(agent, version))


def pact_review(request: HttpRequest) -> HttpResponse:
    """What the linter says while somebody types."""
    form = PactForm(request.POST)
    if form.is_valid() and form.source:
        found = pact_view.review(form.source, since=_asked_since(request))
    else:
        found = pact_view.Review(problem=" ".join(str(one) for one in form.errors["text"]))
    return render(request, "builder/review.html", {"review": found})


def _asked_since(request: HttpRequest) -> PactVersion | None:
    """The version named beside the text, if it is one everybody may read."""
    chosen = request.POST.get("since", "")
    if not is_id(chosen):
        return None
    return PactVersion.objects.filter(pk=chosen, published_at__isnull=False).first()


def publication(request: HttpRequest, version_id: str) -> HttpResponse:
    """Lint, sign, freeze."""
    version = _drafts(request, version_id)
    assert version.pact.agent is not None, "a pact among one's agents' has an agent"
    slug = version.pact.agent.slug

    def publish() -> str:
        publishing.publish_pact(
            version=version,
            by=user_of(request),
            authority=authority_of(request),
            now=database_now(),
        )
        messages.success(request, _("Published and signed. This text can no longer change."))
        return reverse("builder_agent", args=[slug])

    return attempt_button(request, publish, back=reverse("pact_draft", args=[version.id]))
