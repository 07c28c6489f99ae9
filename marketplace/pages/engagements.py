"""Engagements: the list, one with its live timeline, and what each side can do about it."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace import awaited, foretelling
from marketplace.pages import engagement_view, waiting
from marketplace.pages.attempts import REFUSED, attempt, attempt_button, sentence
from marketplace.pages.cancellations import partings_of
from marketplace.pages.control_view import restrictions_on
from marketplace.pages.flow_view import flow_of
from marketplace.pages.forms import RevisionForm
from marketplace.pages.live import unless_seen
from marketplace.pages.press import token_of
from marketplace.pages.promises import BOUNDARY
from marketplace.pages.turns import accepting_moves, turn_of
from marketplace.pages.visitors import authority_of, find, now_of, party_of, user_of
from marketplace.pages.ways_view import Reader, groups_of
from marketplace.pages.wording import count
from pacts.models import Engagement, Milestone
from reputation.clock import database_now
from settlement import deposits, ledger, money
from settlement import engagements as signing
from settlement import escrow as holds
from settlement.models import Escrow
from settlement.rails import rails_here

PER_PAGE = 25
MOST_FORETOLD = 6


def engagements(request: HttpRequest) -> HttpResponse:
    """Every engagement of the party, newest first, and in which of them it is its turn."""
    party = party_of(request)
    rows = engagement_view.engagements_of(party)
    side, which = request.GET.get("side", ""), request.GET.get("which", "")
    if side in ("buyer", "builder"):
        rows = rows.filter(**{side: party})
    else:
        side = ""
    mine = awaited.waiting_for(rows, party_id=party.pk)
    found = {"turn": mine, "live": awaited.live(rows), "over": awaited.over(rows)}.get(which)
    page = Paginator(rows if found is None else found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "side": side,
        "sides": [("", _("All")), ("buyer", _("As buyer")), ("builder", _("As builder"))],
        "which": which if found is not None else "",
        "states": _states(mine.count()),
        "rows": [(one, waiting.waits_of(one, party=party)) for one in page.object_list],
        "party": party,
        "query": urlencode({"side": side, "which": which}) + "&",
    }
    return render(request, "engagements/engagements.html", context)


def _states(mine: int) -> list[tuple[str, str]]:
    """The choices of what is shown; the first says how many wait for the reader."""
    return [
        ("", _("All")),
        ("turn", _("Your turn, %(count)s") % {"count": count(mine)}),
        ("live", _("Under way")),
        ("over", _("Over")),
    ]


def engagement(request: HttpRequest, engagement_id: str) -> HttpResponse:
    """One engagement from signature to receipt."""
    context = _context(request, engagement_id)
    milestones = [work.milestone for work in context["works"]]
    agent_id = context["engagement"].agent_version.agent_id
    context["restrictions"] = restrictions_on(agent_id, now=now_of(request))
    context["partings"] = partings_of(context["engagement"], milestones, party_of(request))
    context |= _foretold(context, now_of(request))
    if context["funding"]:
        context |= _funding(request, context["engagement"])
    return render(request, "engagements/engagement.html", context)


def _foretold(context: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Every way the milestones that are not over can go, in the reader's words."""
    reader: Reader = "buyer" if context["is_buyer"] else "builder"
    told = [
        foretelling.of_milestone(work.milestone, now=now)
        for work in context["works"]
        if not work.milestone.cancelled_at and not (work.escrow and work.escrow.is_final)
    ][:MOST_FORETOLD]
    if context["engagement"].state not in (Engagement.State.PROPOSED, Engagement.State.ACTIVE):
        told = []
    return {
        "foretold_works": [(one, groups_of(one, reader=reader, now=now)) for one in told],
        "boundary": BOUNDARY,
    }


def live(request: HttpRequest, engagement_id: str) -> HttpResponse:
    """The part of the page that changes; nothing (204) while it has not."""
    context = _context(request, engagement_id)
    context["polled"] = True
    return unless_seen(
        request, context["seen"], lambda: render(request, "engagements/live.html", context)
    )


def _context(request: HttpRequest, engagement_id: str) -> dict[str, Any]:
    party = party_of(request)
    found = find(engagement_view.whole_engagements_of(party), pk=engagement_id)
    works = engagement_view.works_of(found, party=party, now=now_of(request))
    for work in works:
        work.flow = flow_of(work, currency=found.currency)
        work.accepting = accepting_moves(work, found.currency)
    is_buyer = found.buyer_id == party.id
    own = found.buyer_signature_id if is_buyer else found.builder_signature_id
    return {
        "engagement": found,
        "works": works,
        "is_buyer": is_buyer,
        "must_sign": found.state == Engagement.State.PROPOSED and own is None,
        "funding": any("fund" in work.may for work in works),
        "seen": engagement_view.mark(found, works),
        "pace": _pace(found, works),
        "turn": turn_of(found, works, party=party, now=now_of(request)),
    }


def _pace(engagement: Engagement, works: list[engagement_view.Work]) -> str:
    """How often to look again: fast while trials run, slowly while somebody may act, else never."""
    if any(work.is_running for work in works):
        return "every 1500ms"
    if engagement.state == Engagement.State.PROPOSED or any(work.moves for work in works):
        return "every 5s"
    return ""


def _funding(request: HttpRequest, engagement: Engagement) -> dict[str, Any]:
    balance = ledger.balances_of(party_of(request)).get(engagement.currency, 0)
    due = sum(m.amount for m in engagement.milestones.all() if not getattr(m, "escrow", None))
    missing = max(due - balance, 0)
    pretend = "sandbox" in rails_here()
    return {"balance": balance, "due": due, "missing": missing, "pretend": pretend}


def signature(request: HttpRequest, engagement_id: str) -> HttpResponse:
    """Sign for the party that has not signed yet."""
    party = party_of(request)
    found = find(engagement_view.engagements_of(party), pk=engagement_id)
    back = reverse("engagement", args=[found.id])

    def sign() -> str:
        signing.sign(
            engagement=found,
            party=party,
            by=user_of(request),
            authority=authority_of(request),
            now=database_now(),
        )
        return back

    return attempt_button(request, sign, back=back)


def _milestones(request: HttpRequest) -> QuerySet[Milestone]:
    party = party_of(request)
    return Milestone.objects.filter(
        Q(engagement__buyer=party) | Q(engagement__builder=party)
    ).select_related("engagement__agent_version__agent", "engagement__pact_version")


def _back(milestone: Milestone) -> str:
    return reverse("engagement", args=[milestone.engagement_id])


def _escrow_of(milestone: Milestone) -> Escrow:
    return find(Escrow.objects.all(), milestone=milestone.pk)


def funding(request: HttpRequest, milestone_id: str) -> HttpResponse:
    """Set the price aside. `deposit` (minor units) is brought in through the sandbox rail first.

    The rail is asked outside every transaction; both steps know the form's token, so a second
    press repeats neither.
    """
    milestone = find(_milestones(request), pk=milestone_id)
    try:
        _deposit_first(request, milestone)
    except REFUSED as error:
        messages.error(request, sentence(error))
        return redirect(_back(milestone))

    def fund() -> str:
        holds.fund(
            milestone=milestone,
            by=party_of(request),
            idempotency_key=token_of(request),
            now=database_now(),
        )
        return _back(milestone)

    return attempt_button(request, fund, back=_back(milestone))


def _deposit_first(request: HttpRequest, milestone: Milestone) -> None:
    missing = request.POST.get("deposit", "")
    if missing:
        deposits.request_deposit(
            party=party_of(request),
            money=money.parse(missing, milestone.engagement.currency),
            idempotency_key=token_of(request),
            now=database_now(),
        )


def acceptance(request: HttpRequest, milestone_id: str) -> HttpResponse:
    """The buyer accepts now."""
    milestone = find(_milestones(request), pk=milestone_id)

    def accept() -> str:
        holds.accept(escrow=_escrow_of(milestone), by=party_of(request), now=database_now())
        return _back(milestone)

    return attempt_button(request, accept, back=_back(milestone))


def give_back(request: HttpRequest, milestone_id: str) -> HttpResponse:
    """The builder returns the whole amount."""
    milestone = find(_milestones(request), pk=milestone_id)

    def give() -> str:
        holds.give_back(escrow=_escrow_of(milestone), by=party_of(request), now=database_now())
        return _back(milestone)

    return attempt_button(request, give, back=_back(milestone))


def revision(request: HttpRequest, milestone_id: str) -> HttpResponse:
    """The builder delivers once more, with the version that is to be judged."""
    milestone = find(_milestones(request), pk=milestone_id)
    agent_id = milestone.engagement.agent_version.agent_id
    form = RevisionForm(request.POST or None, agent_id=agent_id)
    if request.method == "POST" and form.is_valid():
        done = attempt(request, form, lambda: _revise(request, milestone, form))
        if done:
            return done
    context = {"milestone": milestone, "engagement": milestone.engagement, "form": form}
    context |= _revising(milestone, now_of(request))
    return render(request, "engagements/revision.html", context)


def _revising(milestone: Milestone, now: datetime) -> dict[str, Any]:
    """How often it is possible still, until when, and when its verdict is due at the latest."""
    engagement = milestone.engagement
    made = milestone.deliverables.count()
    escrow = Escrow.objects.filter(milestone=milestone).first()
    period = timedelta(seconds=engagement.work_seconds + engagement.evaluation_seconds)
    return {
        "left": max(engagement.max_revisions + 1 - made, 0),
        "begin_by": escrow.next_action_at if escrow else None,
        "judged_by": now + period,
    }


def _revise(request: HttpRequest, milestone: Milestone, form: RevisionForm) -> str:
    holds.revise(
        escrow=_escrow_of(milestone),
        by=party_of(request),
        agent_version=form.cleaned_data["agent_version"],
        now=database_now(),
    )
    return _back(milestone)


def failing(request: HttpRequest, milestone_id: str) -> HttpResponse:
    """Failing cases with input, answer and reasons: for the buyer, unless they are a third
    party's."""
    owned = _milestones(request).filter(
        engagement__buyer=party_of(request), engagement__evaluator=None
    )
    milestone = find(owned, pk=milestone_id)
    page = Paginator(engagement_view.failing_trials(milestone), PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "milestone": milestone,
        "engagement": milestone.engagement,
        "page": page,
        "failures": engagement_view.failures(list(page.object_list)),
    }
    return render(request, "engagements/failing.html", context)
