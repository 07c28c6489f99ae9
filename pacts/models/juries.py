"""Juries of models as rows: who they are, what each juror said, and how far people agree."""

import pgtrigger
from django.db import models

from pacts.models.calls import CallHearing
from pacts.models.evaluations import Trial
from pacts.models.parties import User
from reputation.fields import PublicIdField
from reputation.triggers import append_only, never_emptied


class Jury(models.Model):
    """Pinned models, one rubric, one rule. Another model or prompt is another jury."""

    id = PublicIdField("jry", primary_key=True)
    name = models.CharField(max_length=80)
    spec = models.JSONField()  # as `pacts.judges.jury` writes it
    digest = models.CharField(max_length=80, unique=True)  # of the spec and the prompt around it
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "juries"
        triggers = [append_only()]

    def __str__(self) -> str:
        return self.name


class Judgement(models.Model):
    """One juror's word on one answer. The row is the queue: claimed under a lease, said once."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"  # no usable word after every attempt: the platform's fault

    class Said(models.TextChoices):
        PASS = "pass"  # noqa: S105
        FAIL = "fail"
        ABSTAIN = "abstain"

    # Of a trial in a run, or of a production call.
    trial = models.ForeignKey(
        Trial, on_delete=models.PROTECT, null=True, blank=True, related_name="judgements"
    )
    hearing = models.ForeignKey(
        CallHearing, on_delete=models.PROTECT, null=True, blank=True, related_name="judgements"
    )
    jury = models.ForeignKey(Jury, on_delete=models.PROTECT, related_name="judgements")
    juror = models.PositiveSmallIntegerField()  # place in the jury, from 0
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    said = models.CharField(max_length=8, choices=Said.choices, blank=True)
    quote = models.CharField(max_length=400, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    model = models.CharField(max_length=120, blank=True)  # as the provider named it
    prompt_digest = models.CharField(max_length=80, blank=True)  # of the request's own bytes
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_micros = models.PositiveBigIntegerField(default=0)  # of all attempts
    latency_us = models.PositiveBigIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trial", "jury", "juror"], name="judgement_once"),
            models.UniqueConstraint(
                fields=["hearing", "jury", "juror"], name="judgement_of_a_call_once"
            ),
            models.CheckConstraint(
                condition=models.Q(trial__isnull=True) ^ models.Q(hearing__isnull=True),
                name="judgement_of_one_answer",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="done") | ~models.Q(said=""),
                name="judgement_done_says_something",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=["queued", "running"]),
                name="judgement_due",
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="finished_is_frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__in=["done", "failed"]),
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.jury_id} juror {self.juror}: {self.said or self.state}"


class Calibration(models.Model):
    """A jury held against people: counts of (its word, theirs) over answers both read.

    `pass_pass` counts answers that both passed, `pass_fail` those the jury passed and people
    failed, and so on. Evidence is bound to the jury's digest, so a changed jury starts anew.
    """

    id = PublicIdField("cal", primary_key=True)
    jury = models.ForeignKey(Jury, on_delete=models.PROTECT, related_name="calibrations")
    pass_pass = models.PositiveIntegerField()
    pass_fail = models.PositiveIntegerField()
    fail_pass = models.PositiveIntegerField()
    fail_fail = models.PositiveIntegerField()
    abstained = models.PositiveIntegerField()  # answers people decided and the jury did not
    pairs_digest = models.CharField(max_length=80)  # of every pair by review item
    calibrated_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        ordering = ["-calibrated_at"]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.jury_id} over {self.labels} labels"

    @property
    def labels(self) -> int:
        """Answers that people decided."""
        return self.pass_pass + self.pass_fail + self.fail_pass + self.fail_fail + self.abstained
