"""A builder's own runs before anything counts: pings, dry runs of drafts, adversarial runs.

Nothing rests on them: no evidence, no verdict, no standing. Their party may delete them.
"""

from django.db import models

from pacts.models.agents import AgentVersion
from pacts.models.parties import Party, User
from pacts.models.promises import PactVersion
from reputation.fields import PublicIdField, SealedTextField


class Rehearsal(models.Model):
    """One run of an agent by its own builder. `terms` is the text it was held against, as it was
    then; a draft may change afterwards."""

    class Kind(models.TextChoices):
        PING = "ping"
        DRY_RUN = "dry_run"
        ADVERSARIAL = "adversarial"

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"  # its budget or its time was used up first

    id = PublicIdField("rhs", primary_key=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    agent_version = models.ForeignKey(
        AgentVersion, on_delete=models.PROTECT, related_name="rehearsals"
    )
    pact_version = models.ForeignKey(
        PactVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="rehearsals"
    )
    terms = models.JSONField(null=True)
    digest = models.CharField(max_length=80, blank=True)  # of the terms, or of the suite
    suite = models.CharField(max_length=40, blank=True)
    seed = models.BigIntegerField()
    pasted = models.BooleanField(default=False)  # answers were brought; nobody was called
    left_out = models.PositiveIntegerField(default=0)  # cases beyond the call budget
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    calling = models.PositiveSmallIntegerField(default=0)  # under way, while the lease holds
    started_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["agent_version", "kind", "-id"], name="rehearsals_of_version"),
            models.Index(
                fields=["lease_expires_at"],
                name="rehearsals_running",
                condition=models.Q(state="running"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.agent_version_id}"


class RehearsedCase(models.Model):
    """One call of a rehearsal: what was asked, what came back, what each clause's check said.

    `task` is the place of the sample task it was made of, `key` and `family` name the attack,
    `variant` the variation a clause asked for. JSON is sealed: it is the builder's own data.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        DONE = "done"

    class Outcome(models.TextChoices):
        HELD = "held"
        FELL = "fell"
        UNSEEN = "unseen"  # it answered where a person must look, or nobody can tell

    rehearsal = models.ForeignKey(Rehearsal, on_delete=models.CASCADE, related_name="cases")
    position = models.PositiveIntegerField()
    task = models.PositiveIntegerField()
    key = models.CharField(max_length=60, blank=True)
    family = models.CharField(max_length=24, blank=True)
    variant = models.CharField(max_length=120, blank=True)
    input = SealedTextField()
    expected = SealedTextField(blank=True)
    in_scope = models.BooleanField(default=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    answer = SealedTextField(blank=True)  # the body as it came, clipped
    answers = SealedTextField(blank=True)  # [{clause, outcome, value, reason}]
    fault = models.CharField(max_length=10, blank=True)
    error = models.CharField(max_length=200, blank=True)
    latency_us = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=6, choices=Outcome.choices, blank=True)
    reason = SealedTextField(blank=True)

    class Meta:
        ordering = ["rehearsal", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["rehearsal", "position"], name="rehearsed_position_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rehearsal_id}#{self.position}"
