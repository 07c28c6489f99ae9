"""The evidence log and the standings computed from it."""

import json

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from marketplace.admin.reading import History, only
from reputation.models import Evidence, EvidenceSubject, LogEntry, Standing


@admin.register(Evidence)
class EvidenceAdmin(History):
    """Public envelopes with their subjects; private payloads are not shown here."""

    list_display = ("id", "kind", "recorded_at")
    list_filter = ("kind",)
    search_fields = ("=id", "=subjects__subject_id", "=dedupe_key")
    date_hierarchy = "recorded_at"
    fields = ("id", "kind", "recorded_at", "dedupe_key", "leaf", "readable")
    readonly_fields = fields
    inlines = (
        only(EvidenceSubject, "role", "subject_id"),
        only(LogEntry, "index", "sequenced_at"),
    )

    @admin.display(description="envelope")
    def readable(self, evidence: Evidence) -> SafeString:
        """The envelope, indented; what is hashed is its canonical form."""
        return format_html("<pre>{}</pre>", json.dumps(evidence.read(), indent=2))

    @admin.display(description="leaf hash")
    def leaf(self, evidence: Evidence) -> str:
        return bytes(evidence.leaf_hash).hex()


@admin.register(Standing)
class StandingAdmin(History):
    list_display = ("agent_id", "version_id", "dimension", "verdicts", "passes", "failures")
    list_filter = ("dimension", "method")
    search_fields = ("=agent_id", "=version_id")
