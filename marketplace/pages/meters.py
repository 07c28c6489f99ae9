"""Metered hires: offering one, its budget and runway, its windows, and each window's arithmetic."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from marketplace import hiring, metered_hiring, policy
from marketplace.files import statement_paper
from marketplace.metered_view import meters_of, standing_of, windows_of
from marketplace.models import Listing
from marketplace.pages import agent_view
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.live import mark_of, minute_of, polled_by
from marketplace.pages.meter_forms import MeterOfferForm, TopUpForm, WindowRulingForm
from marketplace.pages.press import token_of
from marketplace.pages.visitors import (
    acting_of,
    authority_of,
    find,
    now_of,
    party_of,
    user_of,
)
from pacts import terms
from pacts.metering import MeteringRefused, window_of
from pacts.models import CallStream, Engagement, Party
from reputation.clock import database_now
from settlement import ledger, metering_statements
from settlement import meters as doors
from settlement.metering_reasons import sentence_of
from settlement.models import Meter, MeterStatement, MeterWindow

PER_PAGE = 25


def meters(request: HttpRequest) -> HttpResponse:
    """Every metered hire of the party, and what the windows of its own agents earned."""
    party = party_of(request)
    rows = meters_of(party.pk)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "party": party, "earnings": _earnings(party)}
    return render(request, "meters/meters.html", context)


def _earnings(party: Party) -> list[Any]:
    """By currency: what reached the builder, what is held back for it, and the fees."""
    rows = Meter.objects.filter(engagement__builder=party).exclude(state=Meter.State.UNFUNDED)
    sums = {name: Sum(name) for name in ("paid", "held_back", "withheld", "fees")}
    return list(rows.order_by("currency").values("currency").annotate(**sums))


def meter_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Offer a metered hire on a listing's terms, and sign it."""
    agent = find(agent_view.agents(), slug=slug)
    listing = agent_view.listing_of(agent)
    own = agent.builder_id == party_of(request).pk
    if listing is None or listing.state != Listing.State.OPEN or own:
        raise Http404
    parsed = terms.parse(listing.pact_version.terms)
    form = MeterOfferForm(request.POST or None, currency=listing.currency)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _offer(request, form, listing))
        if done:
            return done
    context = {
        "agent": agent,
        "listing": listing,
        "form": form,
        "fee": policy.at(now_of(request)).fee_bps,
    }
    try:
        context |= {"window": window_of(parsed), "cure": hiring.timers_of(listing).cure_seconds}
    except MeteringRefused as refused:
        context["refused"] = str(refused)
    return render(request, "meters/offer.html", context)


def _offer(request: HttpRequest, form: MeterOfferForm, listing: Listing) -> str:
    made = metered_hiring.hire(
        listing=listing,
        buyer=party_of(request),
        metering=form.terms(),
        by=user_of(request),
        authority=authority_of(request),
        now=database_now(),
    )
    return reverse("meter", args=[made.pk])


def _meter_mark(request: HttpRequest, meter_id: str) -> str:
    """The budget's own count of changes, the calls that drew on it, and the minute."""
    found = find(meters_of(party_of(request).pk), pk=meter_id)
    calls = CallStream.objects.filter(engagement=found.engagement_id).order_by("pk")
    return mark_of(
        (found.version, found.state, found.engagement.state),
        list(calls.values_list("pk", "counted", "last_call_at")),
        minute_of(now_of(request)),
    )


@polled_by(_meter_mark)
def meter(request: HttpRequest, meter_id: str) -> HttpResponse:
    """One metered hire: the budget, the runway, every window, and what this side may do."""
    party = party_of(request)
    found = find(meters_of(party.pk).select_related("engagement__pact_version"), pk=meter_id)
    return _show(request, found, TopUpForm(currency=found.currency))


def _show(request: HttpRequest, found: Meter, form: TopUpForm) -> HttpResponse:
    party = party_of(request)
    windows = windows_of(party.pk).filter(meter=found).order_by("-pk")
    is_buyer = found.engagement.buyer_id == party.pk
    balance = ledger.balances_of(party).get(found.currency, 0)
    context = {
        "meter": found,
        "engagement": found.engagement,
        "standing": standing_of(found, party=party, now=now_of(request)),
        "page": Paginator(windows, PER_PAGE).get_page(request.GET.get("page")),
        "movements": found.movements.select_related("window").order_by("-pk")[:PER_PAGE],
        "is_buyer": is_buyer,
        "balance": balance,
        "missing": max(found.terms["budget"] - balance, 0),
        "form": form,
        "critical": found.terms["critical"],
        "over": _is_over(found),
    }
    return render(request, "meters/meter.html", context)


def _is_over(found: Meter) -> bool:
    """Whether nothing can change any more: it ended, or it was never begun and cannot be now."""
    may_begin = found.engagement.state in (Engagement.State.PROPOSED, Engagement.State.ACTIVE)
    unfunded = found.state == Meter.State.UNFUNDED
    return found.state == Meter.State.ENDED or (unfunded and not may_begin)


def meter_funding(request: HttpRequest, meter_id: str) -> HttpResponse:
    """Set the agreed budget aside."""
    return _press(
        request,
        meter_id,
        lambda one, party, now: doors.fund(
            meter=one, by=party, idempotency_key=token_of(request), now=now
        ),
    )


def meter_top_up(request: HttpRequest, meter_id: str) -> HttpResponse:
    """Add to the budget."""
    found = find(meters_of(party_of(request).pk), pk=meter_id)
    form = TopUpForm(request.POST, currency=found.currency)

    def add() -> str:
        doors.top_up(
            meter=found,
            by=party_of(request),
            amount=form.cleaned_data["amount"],
            idempotency_key=token_of(request),
            now=database_now(),
        )
        return reverse("meter", args=[found.pk])

    done = attempt(request, form, add, field="amount") if form.is_valid() else None
    return done or _show(request, found, form)


def meter_pause(request: HttpRequest, meter_id: str) -> HttpResponse:
    """Let calls cost nothing for a while."""
    user = user_of(request)
    return _press(
        request,
        meter_id,
        lambda one, party, now: doors.pause(meter=one, by=party, user=user, now=now),
    )


def meter_resumption(request: HttpRequest, meter_id: str) -> HttpResponse:
    """Let it go on."""
    return _press(
        request, meter_id, lambda one, party, now: doors.resume(meter=one, by=party, now=now)
    )


def meter_waiver(request: HttpRequest, meter_id: str) -> HttpResponse:
    """Go on in spite of a breach."""
    return _press(
        request, meter_id, lambda one, party, now: doors.waive(meter=one, by=party, now=now)
    )


def meter_ending(request: HttpRequest, meter_id: str) -> HttpResponse:
    """End it."""
    return _press(
        request, meter_id, lambda one, party, now: doors.end(meter=one, by=party, now=now)
    )


def _press(
    request: HttpRequest, meter_id: str, act: Callable[[Meter, Party, datetime], object]
) -> HttpResponse:
    party = party_of(request)
    found = find(meters_of(party.pk), pk=meter_id)
    back = reverse("meter", args=[found.pk])

    def press() -> str:
        act(found, party, database_now())
        return back

    return attempt_button(request, press, back=back)


def _windows(request: HttpRequest) -> QuerySet[MeterWindow]:
    acting = acting_of(request)
    own = acting.party.pk if acting and acting.party else ""
    return windows_of(own, adjudicates=bool(acting and acting.user.is_adjudicator))


def meter_window(request: HttpRequest, window_id: str) -> HttpResponse:
    """One window: the calls, the verdict, and the arithmetic to the unit."""
    return _show_window(request, find(_windows(request), pk=window_id), WindowRulingForm())


def _show_window(request: HttpRequest, found: MeterWindow, form: WindowRulingForm) -> HttpResponse:
    statement: MeterStatement | None = getattr(found, "statement", None)
    acting = acting_of(request)
    own = acting.party.pk if acting and acting.party else ""
    engagement = found.meter.engagement
    waits = found.state == MeterWindow.State.WITHHELD
    in_time = found.decide_by_at is not None and now_of(request) <= found.decide_by_at
    rules = acting is not None and acting.user.is_adjudicator and found.rule == "human_review"
    context = {
        "window": found,
        "meter": found.meter,
        "engagement": engagement,
        "sentence": sentence_of(found.reason),
        "statement": statement,
        "body": json.loads(statement.body) if statement else None,
        "holds": metering_statements.holds(statement) if statement else False,
        "is_side": own in (engagement.buyer_id, engagement.builder_id),
        "may_accept": waits and in_time and own == engagement.buyer_id,
        "may_rule": waits and in_time and rules,
        "form": form,
        "uncovered": found.due - found.covered,
        "unearned": found.covered - found.earned,
    }
    return render(request, "meters/window.html", context)


def meter_window_acceptance(request: HttpRequest, window_id: str) -> HttpResponse:
    """Pay a window in full that the pact lets wait."""
    found = find(windows_of(party_of(request).pk), pk=window_id)
    back = reverse("meter_window", args=[found.pk])

    def accept() -> str:
        doors.accept_window(window=found, by=party_of(request), now=database_now())
        return back

    return attempt_button(request, accept, back=back)


def meter_window_ruling(request: HttpRequest, window_id: str) -> HttpResponse:
    """Decide a window that the pact asks a person about."""
    found = find(_windows(request), pk=window_id)
    form = WindowRulingForm(request.POST)

    def rule() -> str:
        doors.rule_window(
            window=found,
            adjudicator=user_of(request),
            award_bps=int(form.cleaned_data["share"] * 100),
            reasons=form.cleaned_data["reasons"],
            now=database_now(),
        )
        return reverse("meter_window", args=[found.pk])

    done = attempt(request, form, rule) if form.is_valid() else None
    return done or _show_window(request, found, form)


def _statement(request: HttpRequest, window_id: str) -> MeterStatement:
    found = find(_windows(request), pk=window_id)
    return find(MeterStatement.objects.select_related("key"), window=found.pk)


def meter_statement_json(request: HttpRequest, window_id: str) -> HttpResponse:
    """The signed text itself."""
    return HttpResponse(_statement(request, window_id).body, content_type="application/json")


def meter_statement_pdf(request: HttpRequest, window_id: str) -> HttpResponse:
    """The statement on paper."""
    return statement_paper(_statement(request, window_id))
