"""What follows from production: incidents, what is on its way to people and programs, routes."""

from django.contrib import admin

from marketplace.admin.reading import History, only
from marketplace.models import (
    Delivery,
    DeliveryAttempt,
    Hook,
    Incident,
    IncidentEntry,
    Mail,
    Route,
    RouteEntry,
    Shadow,
)


@admin.register(Incident)
class IncidentAdmin(History):
    list_display = ("id", "agent", "clause", "severity", "violations", "opened_at", "outcome")
    list_filter = ("severity", "outcome")
    search_fields = ("id", "agent__name", "agent__id", "engagement__id")
    inlines = (only(IncidentEntry, "what", "says", "note", "by", "at"),)


@admin.register(Hook)
class HookAdmin(History):
    """Where programs are told; their secrets are nobody's to see."""

    list_display = ("id", "party", "url", "made_at", "off_because", "failing_since")
    list_filter = ("off_because", ("failing_since", admin.EmptyFieldListFilter))
    search_fields = ("id", "url", "party__name", "party__id")


@admin.register(Delivery)
class DeliveryAdmin(History):
    list_display = ("id", "hook", "message_id", "state", "attempts", "due_at", "ended_at")
    list_filter = ("state",)
    search_fields = ("id", "message_id", "hook__id", "hook__url")
    inlines = (only(DeliveryAttempt, "number", "at", "status", "problem", "latency_ms"),)


@admin.register(Mail)
class MailAdmin(History):
    """Mails on their way, and those that were given up: sent never, due never."""

    list_display = ("id", "user", "news", "attempts", "due_at", "sent_at", "problem")
    list_filter = (("due_at", admin.EmptyFieldListFilter), ("sent_at", admin.EmptyFieldListFilter))
    search_fields = ("user__email", "user__id")


@admin.register(Route)
class RouteAdmin(History):
    list_display = ("name", "id", "buyer", "order", "current", "made_at", "closed_at")
    search_fields = ("id", "name", "buyer__name", "buyer__id")
    inlines = (only(RouteEntry, "position", "engagement", "unfunded", "resting_until"),)


@admin.register(Shadow)
class ShadowAdmin(History):
    list_display = ("id", "buyer", "engagement", "candidate", "state", "outcome", "started_at")
    list_filter = ("state", "outcome")
    search_fields = ("id", "buyer__name", "engagement__id", "candidate__agent__name")
    exclude = ("seed",)
