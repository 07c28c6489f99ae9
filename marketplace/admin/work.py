"""Engagements, evaluations and verdicts."""

from django.contrib import admin

from marketplace.admin.reading import History, only
from pacts.models import (
    ClauseVerdict,
    Deliverable,
    Engagement,
    Evaluation,
    Milestone,
    Observation,
    Trial,
    Verdict,
)


@admin.register(Engagement)
class EngagementAdmin(History):
    list_display = ("id", "buyer", "builder", "agent_version", "state", "currency", "proposed_at")
    list_filter = ("state", "currency")
    search_fields = ("id", "buyer__name", "buyer__id", "builder__name", "builder__id", "digest")
    date_hierarchy = "proposed_at"
    inlines = (only(Milestone, "position", "title", "amount", "started_at", "submit_by_at"),)


@admin.register(Milestone)
class MilestoneAdmin(History):
    list_display = ("id", "engagement", "position", "title", "amount", "submit_by_at")
    search_fields = ("id", "title", "engagement__id")
    inlines = (only(Deliverable, "number", "agent_version", "requested_at", "delivered_at"),)


@admin.register(Evaluation)
class EvaluationAdmin(History):
    list_display = ("id", "purpose", "agent_version", "state", "trials_total", "started_at")
    list_filter = ("purpose", "state", "independence")
    search_fields = ("id", "agent_version__agent__name", "agent_version__id", "deliverable__id")
    date_hierarchy = "started_at"


@admin.register(Trial)
class TrialAdmin(History):
    list_display = ("evaluation", "position", "state", "attempt", "fault", "error_code")
    list_filter = ("state", "fault")
    search_fields = ("=evaluation__id", "error_code")
    raw_id_fields = ("evaluation", "task")
    inlines = (only(Observation, "clause", "check_kind", "outcome", "value", "reason"),)


@admin.register(Verdict)
class VerdictAdmin(History):
    list_display = ("id", "evaluation", "outcome", "earned_share_bps", "method", "concluded_at")
    list_filter = ("outcome", "method")
    search_fields = ("id", "evaluation__id", "evidence_id")
    inlines = (
        only(ClauseVerdict, "key", "outcome", "critical", "passes", "failures", "low", "high"),
    )
