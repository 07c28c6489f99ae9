"""Runs that other harnesses recorded: history for screening. No verdict and no money can rest on
these rows: nothing of an engagement, an evaluation or a settlement points at them.
"""

from django.db import models

from pacts.models.agents import AgentVersion
from pacts.models.parties import User
from reputation.fields import PublicIdField
from reputation.triggers import append_only


class ImportedRun(models.Model):
    """One agent's run on one benchmark as a file recorded it, and what its trials add up to."""

    id = PublicIdField("imp", primary_key=True)
    agent_version = models.ForeignKey(
        AgentVersion, on_delete=models.PROTECT, related_name="imported_runs"
    )
    format = models.SlugField(max_length=40)
    benchmark = models.CharField(max_length=200)
    agent_name = models.CharField(max_length=200)  # whom the file says it is about
    model_name = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField(null=True, blank=True)  # as the file states it
    file_name = models.CharField(max_length=200)
    file_digest = models.CharField(max_length=80)
    trials_digest = models.CharField(max_length=80, blank=True, default="")
    tasks = models.PositiveIntegerField()
    trials = models.PositiveIntegerField()
    passes = models.PositiveIntegerField()
    failures = models.PositiveIntegerField()
    nulls = models.PositiveIntegerField()
    figures = models.JSONField()  # name → share of one, in text with six decimals
    contradictions = models.JSONField(default=list)  # sentences
    notes = models.JSONField(default=list)
    imported_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    imported_at = models.DateTimeField()

    class Meta:
        ordering = ["-imported_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["agent_version", "file_digest", "agent_name", "benchmark"],
                name="imported_once",
            ),
            # The same trials out of another archive are the same run.
            models.UniqueConstraint(
                fields=["agent_version", "trials_digest"],
                condition=~models.Q(trials_digest=""),
                name="imported_trials_once",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    trials=models.F("passes") + models.F("failures") + models.F("nulls")
                ),
                name="imported_trials_add_up",
            ),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.benchmark} of {self.agent_name} ({self.trials} trials)"


class ImportedTrial(models.Model):
    """One task tried once in an imported run. A score is in millionths; null has no outcome."""

    run = models.ForeignKey(ImportedRun, on_delete=models.PROTECT, related_name="imported_trials")
    task = models.CharField(max_length=200)
    repeat = models.PositiveIntegerField()
    score_ppm = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=200, blank=True)
    group = models.CharField(max_length=200, blank=True)
    attack = models.CharField(max_length=200, blank=True)
    attacked = models.BooleanField(null=True)
    seconds = models.FloatField(null=True)
    tokens = models.BigIntegerField(null=True)
    cost_usd = models.FloatField(null=True)
    named_ppm = models.JSONField(default=dict, blank=True)  # what else was scored → millionths

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(score_ppm__isnull=True) | models.Q(score_ppm__lte=1_000_000),
                name="imported_score_bounded",
            ),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.task}, try {self.repeat}"
