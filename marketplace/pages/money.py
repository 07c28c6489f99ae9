"""Money: what a party holds, what came in and went out, and receipts."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.files import receipt_file, statement_file
from marketplace.metered_view import meters_of
from marketplace.pages.attempts import attempt, attempt_button
from marketplace.pages.money_forms import DepositForm, PayoutForm
from marketplace.pages.money_view import flows_of
from marketplace.pages.press import token_of
from marketplace.pages.visitors import find, party_of
from marketplace.periods import PeriodMalformed, days_of, window_of
from pacts.models import Party
from reputation.clock import database_now
from settlement import deposits, ledger, payouts, receipts, statements
from settlement.models import FINAL, Account, Bond, Deposit, Entry, Escrow, Meter, Payout, Receipt
from settlement.money import Money, read
from settlement.rails import rails_here

PER_PAGE = 40
NEWEST = 10


def money(request: HttpRequest) -> HttpResponse:
    """Balances, what is set aside, deposits, payouts, and the statement."""
    return _show(request)


def deposit(request: HttpRequest) -> HttpResponse:
    """Bring money in through a rail."""
    form = DepositForm(request.POST, auto_id="deposit_%s")
    if form.is_valid() and (done := attempt(request, form, lambda: _deposit(request, form))):
        return done
    return _show(request, deposit=form)


def payout(request: HttpRequest) -> HttpResponse:
    """Take money out through a rail."""
    form = PayoutForm(request.POST, auto_id="payout_%s")
    if form.is_valid() and (done := attempt(request, form, lambda: _payout(request, form))):
        return done
    return _show(request, payout=form)


def refund(request: HttpRequest, deposit_id: str) -> HttpResponse:
    """Send (part of) a deposit back to where it came from."""
    found = find(Deposit.objects.filter(party=party_of(request)), pk=deposit_id)

    def send_back() -> str:
        payouts.request_refund(
            deposit=found,
            by=party_of(request),
            money=read(request.POST.get("amount", "").strip(), found.currency),
            idempotency_key=token_of(request),
            now=database_now(),
        )
        return reverse("money")

    return attempt_button(request, send_back, back=reverse("money"))


def payout_cancellation(request: HttpRequest, payout_id: str) -> HttpResponse:
    """Take a payout back while no rail was asked about it."""
    found = find(Payout.objects.filter(party=party_of(request)), pk=payout_id)

    def cancel() -> str:
        payouts.cancel_payout(payout=found, by=party_of(request), now=database_now())
        return reverse("money")

    return attempt_button(request, cancel, back=reverse("money"))


def _deposit(request: HttpRequest, form: DepositForm) -> str:
    deposits.request_deposit(
        party=party_of(request),
        money=Money(form.minor, form.cleaned_data["currency"]),
        rail=form.cleaned_data["rail"],
        source=form.cleaned_data["place"],
        idempotency_key=token_of(request),
        now=database_now(),
    )
    return reverse("money")


def _payout(request: HttpRequest, form: PayoutForm) -> str:
    payouts.request_payout(
        party=party_of(request),
        money=Money(form.minor, form.cleaned_data["currency"]),
        rail=form.cleaned_data["rail"],
        destination=form.cleaned_data["place"],
        idempotency_key=token_of(request),
        now=database_now(),
    )
    return reverse("money")


def _show(
    request: HttpRequest, *, deposit: DepositForm | None = None, payout: PayoutForm | None = None
) -> HttpResponse:
    party = party_of(request)
    page = Paginator(statement_of(party), PER_PAGE).get_page(request.GET.get("page"))
    lately = days_of({}, now=database_now())
    context = {
        "flows": flows_of(party, since=lately.since, until=lately.until),
        "balances": ledger.balances_of(party),
        "held": _held(party),
        "aside": _aside(party),
        "metered": _metered(party),
        "staked": _staked(party),
        "deposit": deposit or DepositForm(auto_id="deposit_%s"),
        "payout": payout or PayoutForm(auto_id="payout_%s"),
        "rails": rails_here(),
        "deposits": [(one, payouts.refundable(one)) for one in _deposits(party)],
        "payouts": Payout.objects.filter(party=party)[:NEWEST],
        "page": page,
    }
    return render(request, "money/money.html", context)


def _deposits(party: Party) -> QuerySet[Deposit]:
    return Deposit.objects.filter(party=party).order_by("-requested_at", "-pk")[:NEWEST]


def statement_of(party: Party) -> QuerySet[Entry]:
    """Every entry on the party's accounts, newest first."""
    return (
        Entry.objects.filter(account__owner=party, account__kind=Account.Kind.PARTY)
        .select_related(
            "transfer__deposit",
            "transfer__held_escrow__milestone",
            "transfer__resolved_escrow__milestone",
            "transfer__resolved_escrow__receipt",
            "transfer__held_bond__escrow__milestone",
            "transfer__resolved_bond__escrow__milestone",
            "transfer__meter_movement__meter__agent",
        )
        .order_by("-id")
    )


def _held(party: Party) -> list[Escrow]:
    """Money of this party that is set aside and has no outcome yet."""
    rows = Escrow.objects.filter(milestone__engagement__buyer=party, funded_at__isnull=False)
    return list(
        rows.exclude(state__in=FINAL)
        .select_related("milestone__engagement__agent_version__agent")
        .order_by("next_action_at")[:PER_PAGE]
    )


def _aside(party: Party) -> dict[str, int]:
    """What this party set aside for work that has no outcome yet, by currency."""
    rows = Escrow.objects.filter(milestone__engagement__buyer=party, funded_at__isnull=False)
    sums = rows.exclude(state__in=FINAL).order_by("currency").values_list("currency")
    return {code: int(total) for code, total in sums.annotate(total=Sum("amount"))}


def _metered(party: Party) -> list[Meter]:
    """Budgets this party set aside for production calls that have not ended."""
    rows = meters_of(party.pk).filter(engagement__buyer=party, next_action_at__isnull=False)
    return list(rows.order_by("next_action_at")[:PER_PAGE])


def _staked(party: Party) -> list[Bond]:
    """Bonds this party staked on its work that have not ended."""
    rows = Bond.objects.filter(
        escrow__milestone__engagement__builder=party, state=Bond.State.HELD
    ).select_related("escrow__milestone__engagement__agent_version__agent")
    return list(rows.order_by("escrow__next_action_at")[:PER_PAGE])


def _receipts(request: HttpRequest) -> QuerySet[Receipt]:
    party = party_of(request)
    engagement = "escrow__milestone__engagement"
    return Receipt.objects.filter(
        Q(**{f"{engagement}__buyer": party}) | Q(**{f"{engagement}__builder": party})
    ).select_related(
        "key",
        f"{engagement}__buyer",
        f"{engagement}__builder",
        f"{engagement}__agent_version__agent",
    )


def receipt(request: HttpRequest, receipt_id: str) -> HttpResponse:
    """What happened to one escrow and why, for paper."""
    found = find(_receipts(request), pk=receipt_id)
    body = json.loads(found.body)
    context = {
        "receipt": found,
        "body": body,
        "entries": list(_entries_of(body, found)),
        "engagement": found.escrow.milestone.engagement,
        "holds": receipts.holds(found),
        "signature": bytes(found.signature).hex(),
        "public_key": bytes(found.key.public_key).hex(),
    }
    return render(request, "receipts/receipt.html", context)


def _entries_of(
    body: Mapping[str, Any], found: Receipt
) -> Iterator[tuple[str, str, str, int | str]]:
    """Each entry that was signed: its transfer's kind, whose account it is in words where that is
    known, the account as it was signed, and the amount."""
    engagement = found.escrow.milestone.engagement
    names = {f"party:{side.pk}": side.name for side in (engagement.buyer, engagement.builder)}
    milestone = found.escrow.milestone_id
    names |= {
        f"escrow:{milestone}": _("Escrow of this work"),
        f"bond:{milestone}": _("Bond on this work"),
        "fees": _("Platform fee"),
    }
    for transfer in body["transfers"]:
        for entry in transfer["entries"]:
            account = entry["account"]
            yield transfer["kind"], names.get(account, ""), account, entry["amount"]


def receipt_pdf(request: HttpRequest, receipt_id: str) -> HttpResponse:
    """The same on paper."""
    return receipt_file(find(_receipts(request), pk=receipt_id))


def statement(request: HttpRequest) -> HttpResponse:
    """Balances at both ends of a period, and the way to its lines."""
    refusal, now = "", database_now()
    try:
        window = days_of(request.GET.dict(), now=now)
    except PeriodMalformed as error:
        refusal, window = str(error), days_of({}, now=now)
    rows = statements.period(party=party_of(request), since=window.since, until=window.until)
    drawn = flows_of(party_of(request), since=window.since, until=window.until)
    context = {"window": window, "rows": rows, "refusal": refusal, "flows": drawn}
    return render(request, "money/statement.html", context, status=400 if refusal else 200)


def statement_csv(request: HttpRequest) -> HttpResponseBase:
    """The lines of a period, for a spreadsheet."""
    try:
        window = window_of(request.GET.dict(), now=database_now())
    except PeriodMalformed as error:
        raise BadRequest(str(error)) from error
    return statement_file(party_of(request), window)


def receipt_json(request: HttpRequest, receipt_id: str) -> HttpResponse:
    """The same for programs: the exact signed bytes, the signature and the key."""
    found = find(_receipts(request), pk=receipt_id)
    whole = {
        "body": found.body,
        "signature": bytes(found.signature).hex(),
        "public_key": bytes(found.key.public_key).hex(),
    }
    response = HttpResponse(json.dumps(whole), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{found.id}.json"'
    return response
