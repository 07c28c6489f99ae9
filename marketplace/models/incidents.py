"""Violations of one clause in one engagement, followed by people until somebody ends it."""

from django.db import models

from pacts.models import Agent, Engagement, Party, User
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import never_removed, texts_erased_only


class Incident(models.Model):
    """What is being looked at. One is open for an engagement and clause at a time.

    `clause` is empty where the agent itself is the matter: a control, another model or version.
    """

    class Severity(models.TextChoices):
        MINOR = "minor"
        MAJOR = "major"
        CRITICAL = "critical"

    class Outcome(models.TextChoices):
        FIXED = "fixed"
        FALSE_ALARM = "false_alarm"
        ACCEPTED = "accepted"  # both live with it
        REPLACED = "replaced"  # another agent does the work
        ENDED = "ended"  # the engagement was

    id = PublicIdField("inc", primary_key=True)
    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="incidents")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="incidents")
    clause = models.CharField(max_length=64, blank=True)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    owner_party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents"
    )
    violations = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    last_violation_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    reason = SealedTextField(max_length=2000, blank=True)
    evidence_id = models.CharField(max_length=48)
    resolution_evidence_id = models.CharField(max_length=48, blank=True)

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["engagement", "clause"],
                condition=models.Q(resolved_at__isnull=True),
                name="incident_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(resolved_at__isnull=True, outcome="")
                | models.Q(resolved_at__isnull=False) & ~models.Q(outcome=""),
                name="incident_resolved_with_outcome",
            ),
        ]
        triggers = [never_removed()]

    def __str__(self) -> str:
        return f"{self.clause or 'agent'} of {self.engagement_id}"


class IncidentEntry(models.Model):
    """One line of an incident's timeline."""

    class What(models.TextChoices):
        OPENED = "opened"
        VIOLATION = "violation"
        WORSENED = "worsened"
        ASSIGNED = "assigned"
        NOTED = "noted"
        ROUTED = "routed"
        RESOLVED = "resolved"

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="timeline")
    what = models.CharField(max_length=10, choices=What.choices)
    says = models.CharField(max_length=240, blank=True)  # the platform's own words
    note = SealedTextField(max_length=2000, blank=True)  # a person's
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, null=True, related_name="+")
    evidence_id = models.CharField(max_length=48, blank=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "incident entries"
        ordering = ["incident", "id"]
        triggers = [texts_erased_only("note"), never_removed()]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.what}"
