"""Escrows, the ledger, deposits, payouts and receipts: to read, all of it."""

from django.contrib import admin

from marketplace.admin.reading import History, only
from settlement.models import (
    Account,
    Currency,
    Deposit,
    Entry,
    Escrow,
    Payout,
    PlatformKey,
    RailAttempt,
    Receipt,
    Transfer,
)


@admin.register(Escrow)
class EscrowAdmin(History):
    list_display = ("id", "milestone", "state", "amount", "currency", "reason", "next_action_at")
    list_filter = ("state", "currency", "reason")
    search_fields = ("id", "milestone__id", "milestone__engagement__id")


@admin.register(Account)
class AccountAdmin(History):
    list_display = ("id", "kind", "owner", "subject", "currency", "balance", "version")
    list_filter = ("kind", "currency")
    search_fields = ("owner__id", "owner__name", "subject")


@admin.register(Transfer)
class TransferAdmin(History):
    list_display = ("id", "kind", "idempotency_key", "resolves", "posted_at")
    list_filter = ("kind",)
    search_fields = ("=id", "idempotency_key")
    date_hierarchy = "posted_at"
    raw_id_fields = ("resolves",)
    inlines = (only(Entry, "account", "currency", "amount", "balance_after", "account_version"),)


@admin.register(Deposit)
class DepositAdmin(History):
    list_display = ("id", "party", "rail", "amount", "currency", "state", "requested_at")
    list_filter = ("state", "rail", "currency")
    search_fields = ("id", "party__id", "party__name", "idempotency_key")
    inlines = (only(RailAttempt, "number", "outcome", "rail_reference", "detail", "started_at"),)


@admin.register(Payout)
class PayoutAdmin(History):
    list_display = ("id", "party", "rail", "amount", "currency", "state", "requested_at")
    list_filter = ("state", "rail", "currency")
    search_fields = ("id", "party__id", "party__name", "idempotency_key")
    inlines = (only(RailAttempt, "number", "outcome", "rail_reference", "detail", "started_at"),)


@admin.register(Receipt)
class ReceiptAdmin(History):
    list_display = ("id", "escrow", "key", "issued_at")
    search_fields = ("id", "escrow__id", "escrow__milestone__id")


@admin.register(PlatformKey)
class PlatformKeyAdmin(History):
    list_display = ("id", "created_at", "retired_at")
    exclude = ("sealed_seed",)


@admin.register(Currency)
class CurrencyAdmin(History):
    list_display = ("code", "exponent")
