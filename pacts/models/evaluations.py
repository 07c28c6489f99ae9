"""Evaluations and what they found: trials, observations, verdicts."""

import pgtrigger
from django.db import models

from pacts.models.agents import AgentVersion
from pacts.models.engagements import Deliverable
from pacts.models.parties import Party
from pacts.models.promises import PactVersion
from pacts.models.separation import judged_by_whom_it_says
from pacts.models.tasksets import Task, TaskSetVersion
from reputation.fields import PublicIdField
from reputation.triggers import append_only, never_emptied


class Artifact(models.Model):
    """A raw input or output, found by its digest. The body can be erased, the digest stays."""

    digest = models.CharField(max_length=80, primary_key=True)
    body = models.BinaryField(null=True)
    size = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.digest


class Evaluation(models.Model):
    """One run of an agent version over a task set version, held against a pact version."""

    class Purpose(models.TextChoices):
        SCREENING = "screening"  # a builder's own run, e.g. behind a benchmark claim
        TRIAL = "trial"  # a buyer tries before hiring
        MILESTONE = "milestone"  # decides about money
        RERUN = "rerun"  # the checks as they are now, over the raw answers of an earlier run

    class Independence(models.TextChoices):
        SELF = "self"
        BUYER = "buyer"
        PLATFORM = "platform"
        THIRD_PARTY = "third_party"

    class State(models.TextChoices):
        WAITING = "waiting"  # for the third party that owns it to begin it
        RUNNING = "running"
        CONCLUDED = "concluded"
        ABANDONED = "abandoned"  # cancelled by whoever asked for it; has no verdict

    class Stop(models.TextChoices):
        """Why trials were skipped."""

        LATCHED = "latched"  # more of them could not change the verdict
        CALLS = "calls"
        TIME = "time"
        MONEY = "money"
        CANCELLED = "cancelled"

    id = PublicIdField("evl", primary_key=True)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    independence = models.CharField(max_length=12, choices=Independence.choices)
    requested_by = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="evaluations")
    deliverable = models.OneToOneField(
        Deliverable, on_delete=models.PROTECT, null=True, blank=True, related_name="evaluation"
    )
    agent_version = models.ForeignKey(
        AgentVersion, on_delete=models.PROTECT, related_name="evaluations"
    )
    pact_version = models.ForeignKey(
        PactVersion, on_delete=models.PROTECT, related_name="evaluations"
    )
    task_set_version = models.ForeignKey(
        TaskSetVersion, on_delete=models.PROTECT, related_name="evaluations"
    )
    repeats = models.PositiveSmallIntegerField(default=1)
    # What every random choice of the run follows from: perturbations, probes, their secrets.
    seed = models.PositiveBigIntegerField(default=0)
    trials_total = models.PositiveIntegerField()
    # The run whose raw answers are checked again; no agent is called.
    rerun_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reruns"
    )
    # False: it ends as soon as every clause is decided, or a critical one is breached.
    full_run = models.BooleanField(default=True)
    # The budget: none of these is ever exceeded, whatever number of runners is at work.
    max_calls = models.PositiveIntegerField(null=True, blank=True)
    max_seconds = models.PositiveIntegerField(null=True, blank=True)
    max_cost_micros = models.PositiveBigIntegerField(null=True, blank=True)
    cost_currency = models.CharField(max_length=3, blank=True, default="")
    call_cost_micros = models.PositiveBigIntegerField(default=0)  # set aside for a call in flight
    calls_made = models.PositiveIntegerField(default=0)
    stopped_by = models.CharField(max_length=10, choices=Stop.choices, blank=True, default="")
    # The last position that is still tried, once a verdict has latched.
    stop_after = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    concluded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]
        indexes = [
            models.Index(
                fields=["started_at"],
                condition=models.Q(state="running"),
                name="evaluation_running",
            ),
            models.Index(
                fields=["deadline_at"],
                condition=models.Q(state="waiting"),
                name="evaluation_waiting",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(purpose="milestone")
                | models.Q(deliverable__isnull=False, independence__in=["platform", "third_party"]),
                name="evaluation_of_money_is_independent",
            ),
            models.CheckConstraint(
                condition=models.Q(rerun_of__isnull=True)
                | models.Q(purpose="rerun", deliverable__isnull=True),
                name="evaluation_again_decides_no_money",
            ),
            models.CheckConstraint(
                condition=models.Q(max_calls__isnull=True)
                | models.Q(calls_made__lte=models.F("max_calls")),
                name="evaluation_within_its_calls",
            ),
        ]
        triggers = [judged_by_whom_it_says()]

    def __str__(self) -> str:
        return self.id

    @property
    def is_over(self) -> bool:
        """Whether nothing of it can change any more."""
        return self.state in (self.State.CONCLUDED, self.State.ABANDONED)


class Trial(models.Model):
    """One task tried once. The row is the queue: claimed under a lease, recorded once."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"  # the agent is answerable for what happened
        NULL = "null"  # somebody else was at fault after every retry: counts for nobody
        SKIPPED = "skipped"  # never tried to the end: the run was over before

    class Fault(models.TextChoices):
        NONE = "none"
        AGENT = "agent"
        PLATFORM = "platform"
        BUYER = "buyer"
        EVALUATOR = "evaluator"  # the third party that never began the run

    # The unique constraints below are its index.
    evaluation = models.ForeignKey(
        Evaluation, on_delete=models.PROTECT, related_name="trials", db_index=False
    )
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="trials")
    position = models.PositiveIntegerField()  # order of the run; the order verdicts are read in
    repeat = models.PositiveSmallIntegerField(default=0)
    # How the task was varied, as `pacts.variants` writes it; empty for the task as it is.
    variant = models.CharField(max_length=120, blank=True, default="")
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=10, choices=Fault.choices, default=Fault.NONE)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.CharField(max_length=200, blank=True)
    input_digest = models.CharField(max_length=80, blank=True)
    output_digest = models.CharField(max_length=80, blank=True)
    latency_us = models.PositiveBigIntegerField(null=True, blank=True)
    cost_micros = models.PositiveBigIntegerField(default=0)  # of all attempts
    # What the agent said of itself: model, fingerprint, input_tokens, output_tokens.
    reported = models.JSONField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["evaluation", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "task", "repeat", "variant"],
                name="trial_once_per_task_repeat_and_variant",
            ),
            models.UniqueConstraint(fields=["evaluation", "position"], name="trial_position_once"),
        ]
        indexes = [
            models.Index(
                fields=["evaluation", "position"],
                condition=models.Q(state="queued"),
                name="trial_queued",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=models.Q(state="running"),
                name="trial_leased",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="finished_is_frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state__in=["done", "null", "skipped"]),
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.evaluation_id}#{self.position}"


class Observation(models.Model):
    """One check's answer on one trial."""

    # The unique constraint below is its index.
    trial = models.ForeignKey(
        Trial, on_delete=models.PROTECT, related_name="observations", db_index=False
    )
    clause = models.CharField(max_length=64)
    check_kind = models.CharField(max_length=40)
    check_version = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=16)  # pass, fail, error, skipped, not_applicable
    value = models.FloatField(null=True)  # in [0, 1]
    reason = models.CharField(max_length=240, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trial", "clause", "check_version"], name="observation_once"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    outcome__in=["pass", "fail", "error", "skipped", "not_applicable"]
                ),
                name="observation_outcome_known",
            ),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.clause}: {self.outcome}"


class Verdict(models.Model):
    """What an evaluation concluded: met, breached or undetermined, and the share earned."""

    class Outcome(models.TextChoices):
        MET = "met"
        BREACHED = "breached"
        UNDETERMINED = "undetermined"

    id = PublicIdField("vdt", primary_key=True)
    evaluation = models.OneToOneField(Evaluation, on_delete=models.PROTECT, related_name="verdict")
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    earned_share_bps = models.PositiveIntegerField()
    # What undetermined does by the pact: release, withhold, prorate, extend, human_review or "".
    undetermined_rule = models.CharField(max_length=16, blank=True)
    method = models.CharField(max_length=32)
    concluded_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        indexes = [models.Index(fields=["concluded_at"], name="verdict_concluded_at")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(earned_share_bps__lte=10_000), name="verdict_share_bounded"
            ),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.evaluation_id}: {self.outcome}"


class ClauseVerdict(models.Model):
    """One clause of a verdict, with the counts and figures that make it reproducible."""

    verdict = models.ForeignKey(Verdict, on_delete=models.PROTECT, related_name="clauses")
    position = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    dimension = models.CharField(max_length=40)
    outcome = models.CharField(max_length=16, choices=Verdict.Outcome.choices)
    critical = models.BooleanField()
    weight_bps = models.PositiveIntegerField()
    promise_bps = models.PositiveIntegerField()
    floor_bps = models.PositiveIntegerField()
    unit = models.CharField(max_length=8)
    passes = models.FloatField()  # whole for binary clauses, a sum of values for bounded ones
    failures = models.FloatField()
    errors = models.PositiveIntegerField(default=0)
    nulls = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    estimate = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    ln_e_met = models.FloatField(null=True)
    ln_e_breach = models.FloatField(null=True)
    first_crossing = models.PositiveIntegerField(null=True)  # units seen when the verdict latched
    marginal = models.BooleanField(default=False)
    reason = models.CharField(max_length=400)

    class Meta:
        ordering = ["verdict", "position"]
        constraints = [
            models.UniqueConstraint(fields=["verdict", "key"], name="clause_verdict_once"),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.key}: {self.outcome}"
