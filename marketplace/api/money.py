"""A party's money: balances, what moved, money in, money out, and signed receipts."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api import idempotency
from marketplace.api.fields import AmountField, CurrencyField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from settlement import deposits, ledger, payouts, statements
from settlement.models import Account, Deposit, Entry, Payout, Receipt
from settlement.money import Money
from settlement.rails import RAILS


@extend_schema_field({"type": "string", "pattern": "^-?[0-9]{1,18}$"})
class SignedAmountField(serializers.ReadOnlyField):
    """Minor units as text, below zero when they left."""

    def to_representation(self, value: Any) -> str:
        return str(value)


class BalanceSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    available = AmountField()


class BalancesSerializer(serializers.Serializer[Any]):
    results = BalanceSerializer(many=True)


class EntryListSerializer(serializers.ListSerializer[Entry]):
    """A page of entries: what is behind them is read for all at once."""

    def to_representation(self, data: Any) -> list[Any]:
        entries = list(data)
        for entry, (subject, title) in zip(entries, statements.about(entries), strict=True):
            entry.subject, entry.about = subject, title
        return super().to_representation(entries)


class EntrySerializer(serializers.ModelSerializer[Entry]):
    """`subject` is the id of the escrow, bond, deposit or payout behind a movement, and `about`
    the title of its milestone; both are empty where there is none.
    """

    subject = serializers.CharField(read_only=True)
    about = serializers.CharField(read_only=True)
    amount = SignedAmountField()
    balance_after = AmountField(allow_null=True)
    transfer = serializers.IntegerField(source="transfer_id")
    kind = serializers.CharField(source="transfer.kind")
    resolves = serializers.IntegerField(source="transfer.resolves_id", allow_null=True)
    posted_at = serializers.DateTimeField(source="transfer.posted_at")

    class Meta:
        model = Entry
        list_serializer_class = EntryListSerializer
        fields = [
            "id",
            "transfer",
            "kind",
            "subject",
            "about",
            "resolves",
            "amount",
            "currency",
            "balance_after",
            "posted_at",
        ]


class DepositSerializer(serializers.ModelSerializer[Deposit]):
    amount = AmountField()

    class Meta:
        model = Deposit
        fields = [
            "id",
            "rail",
            "amount",
            "currency",
            "state",
            "failure",
            "requested_at",
            "settled_at",
        ]


class PayoutSerializer(serializers.ModelSerializer[Payout]):
    amount = AmountField()

    class Meta:
        model = Payout
        fields = [
            "id",
            "rail",
            "destination",
            "refund_of",
            "amount",
            "currency",
            "state",
            "failure",
            "requested_at",
            "not_before_at",
            "next_attempt_at",
            "settled_at",
        ]


class NewDepositSerializer(serializers.Serializer[Deposit]):
    amount = AmountField()
    currency = CurrencyField()
    rail = serializers.ChoiceField(choices=sorted(RAILS), default="sandbox")
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=80, default="sandbox:ok", help_text="What the rail charges: its own token."
    )


class NewPayoutSerializer(serializers.Serializer[Payout]):
    amount = AmountField()
    currency = CurrencyField()
    rail = serializers.ChoiceField(choices=sorted(RAILS), default="sandbox")
    destination = serializers.CharField(max_length=80, default="sandbox:ok")


class NewRefundSerializer(serializers.Serializer[Payout]):
    amount = AmountField()


class ReceiptSerializer(serializers.ModelSerializer[Receipt]):
    """`body` is the signed text, to the byte; `signature` is over its digest (see verify)."""

    escrow = serializers.CharField(source="escrow_id")
    milestone = serializers.CharField(source="escrow.milestone_id")
    public_key = serializers.SerializerMethodField()
    signature = serializers.SerializerMethodField()

    class Meta:
        model = Receipt
        fields = ["id", "escrow", "milestone", "issued_at", "body", "public_key", "signature"]

    def get_public_key(self, receipt: Receipt) -> str:
        return bytes(receipt.key.public_key).hex()

    def get_signature(self, receipt: Receipt) -> str:
        return bytes(receipt.signature).hex()


class EntryFilter(django_filters.FilterSet):
    currency = django_filters.CharFilter()
    kind = django_filters.CharFilter(field_name="transfer__kind")


class Balances(Noun):
    """What the party can spend or withdraw, by currency."""

    gives = BalancesSerializer

    def get(self, request: Request) -> Response:
        held = ledger.balances_of(self.party)
        rows = [{"currency": code, "available": amount} for code, amount in held.items()]
        return Response(self.shown({"results": rows}))


class Statement(Lists):
    """Every movement of the party's balances, the newest first."""

    gives = EntrySerializer
    filterset_class = EntryFilter

    def get_queryset(self) -> QuerySet[Entry]:
        own = Account.objects.filter(owner_id=self.own, kind=Account.Kind.PARTY)
        return Entry.objects.filter(account__in=own).select_related("transfer")


class Deposits(Lists, Makes):
    """Money in. The rail is asked once this is stored: read the deposit again for what it said."""

    gives = DepositSerializer
    takes = NewDepositSerializer
    moves_money = True

    def get_queryset(self) -> QuerySet[Deposit]:
        return Deposit.objects.filter(party_id=self.own)

    def create(self, given: dict[str, Any], now: datetime) -> Deposit:
        return deposits.request_deposit(
            party=self.party,
            money=Money(given.pop("amount"), given.pop("currency")),
            idempotency_key=idempotency.key_for_the_ledger(self.request),
            now=now,
            **given,
        )


class OneDeposit(Reads):
    """One deposit."""

    gives = DepositSerializer

    def get_queryset(self) -> QuerySet[Deposit]:
        return Deposit.objects.filter(party_id=self.own)


class DepositRefund(Makes):
    """(Part of) a deposit back to its source: a payout that needs no cooldown."""

    gives = PayoutSerializer
    takes = NewRefundSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Payout:
        found = self.find(Deposit.objects.filter(party_id=self.own), pk=self.kwargs["id"])
        return payouts.request_refund(
            deposit=found,
            by=self.party,
            money=Money(given["amount"], found.currency),
            idempotency_key=idempotency.key_for_the_ledger(self.request),
            now=now,
        )


class Payouts(Lists, Makes):
    """Money out: set aside at once, paid by the rail after a cooldown of 0 to 10 days by the
    account's age (`not_before_at`), or returned.
    """

    gives = PayoutSerializer
    takes = NewPayoutSerializer
    moves_money = True

    def get_queryset(self) -> QuerySet[Payout]:
        return Payout.objects.filter(party_id=self.own)

    def create(self, given: dict[str, Any], now: datetime) -> Payout:
        return payouts.request_payout(
            party=self.party,
            money=Money(given.pop("amount"), given.pop("currency")),
            idempotency_key=idempotency.key_for_the_ledger(self.request),
            now=now,
            **given,
        )


class OnePayout(Reads):
    """One payout."""

    gives = PayoutSerializer

    def get_queryset(self) -> QuerySet[Payout]:
        return Payout.objects.filter(party_id=self.own)


class PayoutCancellation(Makes):
    """Taking a payout back while no rail was asked about it."""

    gives = PayoutSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Payout:
        found = self.find(Payout.objects.filter(party_id=self.own), pk=self.kwargs["id"])
        return payouts.cancel_payout(payout=found, by=self.party, now=now)


class OneReceipt(Reads):
    """One receipt, for both sides."""

    gives = ReceiptSerializer

    def get_queryset(self) -> QuerySet[Receipt]:
        return receipts_of(self.own)


class Receipts(Lists):
    """The signed receipts of the party's escrows."""

    gives = ReceiptSerializer

    def get_queryset(self) -> QuerySet[Receipt]:
        return receipts_of(self.own)


def receipts_of(party_id: str) -> QuerySet[Receipt]:
    """The receipts of escrows that a party is a side of."""
    engagement = "escrow__milestone__engagement"
    sides = Q(**{f"{engagement}__buyer_id": party_id})
    sides |= Q(**{f"{engagement}__builder_id": party_id})
    return Receipt.objects.filter(sides).select_related("escrow", "key")
