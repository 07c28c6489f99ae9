"""Needs: posted, offered on under seal, opened together, picked from."""

from datetime import timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace import needing, picking
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.need_forms import NeedForm, PickForm, SealedOfferForm, moment_typed
from marketplace.pages.promises import clause_texts
from marketplace.pages.visitors import authority_of, find, now_of, party_of, user_of
from pacts import needs as law
from pacts import terms
from pacts.models import Need, SealedOffer
from reputation.clock import database_now

PER_PAGE = 25


def needs(request: HttpRequest) -> HttpResponse:
    """Those that take offers, the next deadline first; or one's own, the newest first."""
    party, mine = party_of(request), request.GET.get("mine") == "1"
    work = request.GET.get("work", "")[:40]
    rows = needing.seen_by(party)
    if mine:
        rows = rows.filter(buyer=party).order_by("-posted_at")
    else:
        rows = rows.filter(state=Need.State.OPEN, offers_until__gte=now_of(request))
        rows = rows.order_by("offers_until")
    if work and work.replace("-", "").replace("_", "").isalnum():
        rows = rows.filter(work=work)
    offered = {
        one.need_id
        for one in SealedOffer.objects.filter(builder=party, state="standing").only("need_id")
    }
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "mine": mine, "work": work, "offered": offered}
    context["query"] = f"mine=1&work={work}&" if mine else f"work={work}&"
    return render(request, "needs/needs.html", context)


def need_new(request: HttpRequest) -> HttpResponse:
    """Post a need under a pact of one's own."""
    now = now_of(request)
    initial = {
        "work": request.GET.get("work", "")[:40],
        "pact": request.GET.get("pact", "")[:60],
        "currency": "EUR",
        "offers_until": moment_typed(now + timedelta(days=7)),
        "choose_until": moment_typed(now + timedelta(days=14)),
    }
    form = NeedForm(request.POST or None, party=party_of(request), initial=initial)
    if request.method == "POST" and form.is_valid() and form.draft:
        done = attempt(request, form, lambda: _post(request, form))
        if done:
            return done
    return render(request, "needs/new.html", {"form": form})


def _post(request: HttpRequest, form: NeedForm) -> str:
    assert form.draft is not None, "a form that is valid has a draft"
    made = law.post(
        buyer=party_of(request), draft=form.draft, by=user_of(request), now=database_now()
    )
    return reverse("need", args=[made.id])


def need(request: HttpRequest, need_id: str) -> HttpResponse:
    """One need: what is wanted, one's own offer, or the opened ones side by side."""
    found = find(needing.seen_by(party_of(request)), pk=need_id)
    return render(request, "needs/need.html", _context(request, found))


def _context(
    request: HttpRequest, found: Need, form: SealedOfferForm | None = None
) -> dict[str, Any]:
    party, now = party_of(request), now_of(request)
    own = found.buyer_id == party.id
    offer = None if own else needing.standing_offer(found, party)
    opened = needing.opened_offers(found, now=now) if own and found.revealed_at else []
    return {
        "need": found,
        "own": own,
        "takes": found.state == Need.State.OPEN and now <= found.offers_until,
        "choosing": found.state == Need.State.REVEALED and now <= found.choose_until,
        "clauses": clause_texts(terms.parse(found.pact_version.terms)),
        "form": None if own else form or SealedOfferForm(need=found, party=party),
        "offer": offer,
        "said": law.opened_for_its_builder(offer) if offer and offer.sealed else None,
        "opened": opened,
        "listed": [one for one in opened if one.listed],
        "pick": PickForm(need=found) if own else None,
    }


def _of_others(request: HttpRequest, need_id: str) -> Need:
    """One that somebody else posted; one's own takes no offer of one's own."""
    return find(needing.seen_by(party_of(request)).exclude(buyer=party_of(request)), pk=need_id)


def need_offer(request: HttpRequest, need_id: str) -> HttpResponse:
    """Seal an offer, in the place of an earlier one."""
    found = _of_others(request, need_id)
    form = SealedOfferForm(request.POST, need=found, party=party_of(request))
    if form.is_valid():
        done = attempt(request, form, lambda: _offer(request, found, form))
        if done:
            return done
    return render(request, "needs/need.html", _context(request, found, form))


def _offer(request: HttpRequest, found: Need, form: SealedOfferForm) -> str:
    law.offer(
        need=found,
        builder=party_of(request),
        agent_version=form.cleaned_data["agent_version"],
        price=form.minor,
        work_seconds=form.seconds,
        note=form.cleaned_data["note"],
        by=user_of(request),
        now=database_now(),
    )
    return reverse("need", args=[found.id])


def need_offer_withdrawal(request: HttpRequest, need_id: str) -> HttpResponse:
    """Take one's own offer back."""
    found = _of_others(request, need_id)
    back = reverse("need", args=[found.id])

    def withdraw() -> str:
        law.take_back(need=found, builder=party_of(request), now=database_now())
        return back

    return attempt_button(request, withdraw, back=back)


def _own(request: HttpRequest, need_id: str) -> Need:
    return find(Need.objects.filter(buyer=party_of(request)), pk=need_id)


def need_withdrawal(request: HttpRequest, need_id: str) -> HttpResponse:
    """Take a need back before its offers are opened."""
    found = _own(request, need_id)
    back = reverse("need", args=[found.id])

    def withdraw() -> str:
        law.withdraw_need(need=found, buyer=party_of(request), now=database_now())
        return back

    return attempt_button(request, withdraw, back=back)


def need_pick(request: HttpRequest, need_id: str) -> HttpResponse:
    """Pick one opened offer: it becomes an engagement that waits for the builder's signature."""
    found = _own(request, need_id)
    form = PickForm(request.POST, need=found)

    def pick() -> str:
        if not form.is_valid():
            raise picking.PickRefused("choose the task set that the work is judged on")
        engagement = picking.pick(
            need=found,
            offer_id=request.POST.get("offer", "")[:60],
            buyer=party_of(request),
            task_set_version=form.cleaned_data["task_set_version"],
            by=user_of(request),
            authority=authority_of(request),
            now=database_now(),
        )
        return reverse("engagement", args=[engagement.id])

    return attempt_button(request, pick, back=reverse("need", args=[found.id]))


def need_offer_one(request: HttpRequest, sealed_id: str) -> HttpResponse:
    """How an opened offer is checked against what was sealed: for its two sides."""
    rows = needing.offers_seen_by(party_of(request)).filter(state=SealedOffer.State.REVEALED)
    one = find(rows, pk=sealed_id)
    if not one.revealed_evidence_id or not one.sealed:
        raise Http404
    return render(request, "needs/offer.html", {"offer": one, "document": _document(one)})


def _document(one: SealedOffer) -> dict[str, Any]:
    found: dict[str, Any] = law.opened_for_its_builder(one)
    return found
