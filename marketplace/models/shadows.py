"""The same calls again: a candidate beside what is hired, and one call against today's version."""

from django.db import models
from django.db.models import Q

from pacts.models import AgentVersion, Call, Engagement, Party, User
from reputation.fields import PublicIdField, SealedTextField


class Shadow(models.Model):
    """A candidate that gets copies of an engagement's calls; nobody is given its answers.

    Bounded by `most_calls` and, where it says so, by what the candidate says its calls cost.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        CONCLUDED = "concluded"
        STOPPED = "stopped"

    class Outcome(models.TextChoices):
        BETTER = "better"
        WORSE = "worse"
        UNDETERMINED = "undetermined"

    id = PublicIdField("shd", primary_key=True)
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="shadows")
    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="shadows")
    candidate = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="shadows")
    share_bps = models.PositiveIntegerField(default=10_000)
    most_calls = models.PositiveIntegerField()
    most_cost_micros = models.PositiveBigIntegerField(null=True, blank=True)
    cost_currency = models.CharField(max_length=3, blank=True)
    tolerance_bps = models.PositiveIntegerField(default=200)  # δ: a drop that would not matter
    alpha_bps = models.PositiveIntegerField(default=500)
    seed = models.BinaryField(max_length=32)
    after_call = models.BigIntegerField()  # calls up to this row are the past
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.UNDETERMINED)
    findings = models.JSONField(default=list)  # as `marketplace.shadows.paired` writes them
    spent_micros = models.PositiveBigIntegerField(default=0)
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    evidence_id = models.CharField(max_length=48, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["engagement", "candidate"],
                condition=Q(state="running"),
                name="shadow_one_running",
            ),
            models.CheckConstraint(
                condition=Q(share_bps__range=(1, 10_000)), name="shadow_share_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(most_calls__range=(1, 10_000)), name="shadow_calls_bounded"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.candidate} beside {self.engagement_id}"


class ShadowPair(models.Model):
    """One call and its copy. `values` is {clause: [hired, candidate]} of what both decided."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        NULL = "null"  # the platform's fault, or nothing that both decided

    shadow = models.ForeignKey(Shadow, on_delete=models.PROTECT, related_name="pairs")
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="+")
    place = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    values = models.JSONField(default=dict)
    fault = models.CharField(max_length=8, blank=True)
    error = models.CharField(max_length=200, blank=True)
    output_digest = models.CharField(max_length=80, blank=True)
    latency_us = models.PositiveBigIntegerField(null=True)
    cost_micros = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["shadow", "place"]
        constraints = [
            models.UniqueConstraint(fields=["shadow", "call"], name="shadow_call_once"),
            models.UniqueConstraint(fields=["shadow", "place"], name="shadow_place_once"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="shadow_pair_due")
        ]

    def __str__(self) -> str:
        return f"{self.shadow_id}#{self.place}"


class Replay(models.Model):
    """One captured call against another version, with the same checks over both answers.

    `answer` is what was said, sealed; it goes when the call's own contents go.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"  # the platform could not make the call

    id = PublicIdField("rpl", primary_key=True)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="replays")
    agent_version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+")
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    answer = SealedTextField(blank=True)
    # [{"clause", "check_version", "before": [outcome, value, reason], "after": […]}]
    findings = models.JSONField(default=list)
    fault = models.CharField(max_length=8, blank=True)
    error = models.CharField(max_length=200, blank=True)
    output_digest = models.CharField(max_length=80, blank=True)
    latency_us = models.PositiveBigIntegerField(null=True)
    done_at = models.DateTimeField(null=True, blank=True)
    evidence_id = models.CharField(max_length=48, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="waiting"), name="replay_due")]

    def __str__(self) -> str:
        return f"{self.call_id} by {self.agent_version_id}"
