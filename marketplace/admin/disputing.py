"""Disputes with all that belongs to them, precedents, policy and the gaming watch: to read."""

from django.contrib import admin

from marketplace.admin.reading import History, only
from marketplace.models import (
    AgreementReport,
    PolicyProposal,
    ScoreReading,
    Suspicion,
    SuspicionStep,
)
from pacts.models import (
    Appeal,
    Confirmation,
    Dispute,
    DisputeStep,
    Exhibit,
    PolicyVersion,
    Precedent,
    Recusal,
    Ruling,
)
from settlement.models import FilingDeposit

_SEARCHED = ("id", "dispute__id", "dispute__milestone__engagement__id")


@admin.register(Dispute)
class DisputeAdmin(History):
    """Cases. They are ruled on the adjudicators' desk, never here."""

    list_display = ("id", "milestone", "ground", "track", "state", "outcome", "opened_at", "due_at")
    list_filter = ("state", "track", "ground", "outcome", "needs_second")
    search_fields = ("id", "milestone__id", "milestone__engagement__id")
    date_hierarchy = "opened_at"
    inlines = (
        only(DisputeStep, "state", "entered_at", "due_at", "by_silence"),
        only(Ruling, "level", "by_rule", "adjudicator", "award_bps", "reasons", "ruled_at"),
        only(Exhibit, "party", "kind", "title", "size", "digest", "added_at"),
        only(Recusal, "adjudicator", "reason", "recused_at"),
    )


@admin.register(Ruling)
class RulingAdmin(History):
    list_display = ("id", "dispute", "level", "by_rule", "adjudicator", "award_bps", "ruled_at")
    list_filter = ("level", "by_rule")
    search_fields = _SEARCHED
    inlines = (only(Confirmation, "adjudicator", "confirmed", "reasons", "decided_at"),)


@admin.register(Exhibit)
class ExhibitAdmin(History):
    """What the sides brought, by its digest: the body is theirs and the desk's."""

    list_display = ("id", "dispute", "party", "kind", "size", "added_at")
    list_filter = ("kind",)
    search_fields = (*_SEARCHED, "digest")
    exclude = ("sealed",)


@admin.register(Appeal)
class AppealAdmin(History):
    list_display = ("id", "dispute", "party", "appealed_at")
    search_fields = _SEARCHED


@admin.register(Precedent)
class PrecedentAdmin(History):
    list_display = ("id", "ground", "work", "award_bps", "measured_bps", "by_rule", "published_at")
    list_filter = ("ground", "track", "by_rule", "level")
    search_fields = ("id", "reasons")
    exclude = ("search",)


@admin.register(FilingDeposit)
class FilingDepositAdmin(History):
    list_display = ("id", "dispute", "party", "amount", "currency", "state", "held_at")
    list_filter = ("state", "currency")
    search_fields = ("id", "dispute__id", "party__id", "party__name")


@admin.register(PolicyVersion)
class PolicyVersionAdmin(History):
    """Changed in the policy console, never here."""

    list_display = ("number", "id", "changed_by", "seconded_by", "changed_at", "reason")
    search_fields = ("id", "reason")


@admin.register(PolicyProposal)
class PolicyProposalAdmin(History):
    """Confirmed and declined in the policy console."""

    list_display = ("id", "state", "proposed_by", "proposed_at", "decided_by", "reason")
    list_filter = ("state",)
    search_fields = ("id", "reason")


@admin.register(Suspicion)
class SuspicionAdmin(History):
    """Frozen and released on the gaming watch's own page."""

    list_display = ("id", "pattern", "state", "first_seen_at", "last_seen_at")
    list_filter = ("pattern", "state")
    search_fields = ("id",)
    inlines = (only(SuspicionStep, "state", "reason", "by", "at"),)


@admin.register(ScoreReading)
class ScoreReadingAdmin(History):
    list_display = ("version_id", "agent", "read_on", "score_bps")
    search_fields = ("version_id", "agent__id", "agent__name")


@admin.register(AgreementReport)
class AgreementReportAdmin(History):
    list_display = ("name", "id", "source", "loaded_by", "loaded_at")
    search_fields = ("id", "name", "source", "digest")
