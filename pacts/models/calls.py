"""Production calls: what was reported of each, what its checks said, and what windows came to."""

import pgtrigger
from django.db import models

from pacts.models.agents import AgentVersion
from pacts.models.engagements import Engagement
from pacts.models.evaluations import Verdict
from pacts.models.parties import Party, User
from reputation.fields import PublicIdField
from reputation.triggers import append_only, never_edited, never_emptied


class CallStream(models.Model):
    """The calls of one agent version under one engagement, as one side reports them.

    Both sides may report; their words are never mixed. `counted` is the place of the last call
    that was checked: the order of events that windows latch by.
    """

    class Independence(models.TextChoices):
        SELF = "self"  # the builder reports of its own agent
        BUYER = "buyer"
        PLATFORM = "platform"  # the platform made the call itself

    id = PublicIdField("cst", primary_key=True)
    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="streams")
    agent_version = models.ForeignKey(
        AgentVersion, on_delete=models.PROTECT, related_name="streams"
    )
    reporter = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    independence = models.CharField(max_length=10, choices=Independence.choices)
    # The smallest probability with which any call so far was kept: what bets are scaled by.
    least_rate = models.FloatField(default=1.0)
    counted = models.PositiveBigIntegerField(default=0)
    model = models.CharField(max_length=200, blank=True, default="")
    model_fingerprint = models.CharField(max_length=200, blank=True, default="")
    drift = models.JSONField(default=dict, blank=True)  # as `pacts.drift` writes its detectors
    seed = models.BinaryField(max_length=32)  # of the draw of calls for judges and people
    commitment = models.CharField(max_length=80)
    seed_opened_at = models.DateTimeField(null=True, blank=True)  # in the log; no more is drawn
    opened_at = models.DateTimeField()
    last_call_at = models.DateTimeField(null=True, blank=True)  # received

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["engagement", "agent_version", "reporter", "independence"],
                name="call_stream_once",
            ),
            models.CheckConstraint(
                condition=models.Q(least_rate__gt=0, least_rate__lte=1),
                name="call_stream_rate_is_a_probability",
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Call(models.Model):
    """One production call as it was reported, counted once by its `call_id`."""

    class Clock(models.TextChoices):
        GUARD = "guard"  # whoever called measured it
        PLATFORM = "platform"

    # The index below is its index: a stream's calls from some id on, which money is counted by.
    stream = models.ForeignKey(
        CallStream, on_delete=models.PROTECT, related_name="calls", db_index=False
    )
    # The unique constraint below is its index.
    reporter = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+", db_index=False)
    call_id = models.UUIDField()
    digest = models.BinaryField(max_length=32)  # SHA-256 of the record as it was sent
    input_digest = models.CharField(max_length=80, blank=True)
    output_digest = models.CharField(max_length=80, blank=True)
    started_at = models.DateTimeField()  # by the caller's clock
    received_at = models.DateTimeField()  # by the platform's
    clock = models.CharField(max_length=8, choices=Clock.choices, default=Clock.GUARD)
    latency_us = models.PositiveBigIntegerField(null=True)
    fault = models.CharField(max_length=8)
    error = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True)
    model_fingerprint = models.CharField(max_length=200, blank=True)
    input_tokens = models.PositiveBigIntegerField(null=True)
    output_tokens = models.PositiveBigIntegerField(null=True)
    cost_micros = models.PositiveBigIntegerField(null=True)
    cost_currency = models.CharField(max_length=3, blank=True)
    sample_rate = models.FloatField(default=1.0)

    class Meta:
        indexes = [models.Index(fields=["stream", "id"], name="call_of_stream")]
        constraints = [
            models.UniqueConstraint(fields=["reporter", "call_id"], name="call_counts_once"),
            models.CheckConstraint(
                condition=models.Q(sample_rate__gt=0, sample_rate__lte=1),
                name="call_rate_is_a_probability",
            ),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return str(self.call_id)


class CallContent(models.Model):
    """What was said in a call: JSON of its input, output, tool calls and labels. Goes when its
    time is over or somebody asks; the digests in `Call` stay."""

    call = models.OneToOneField(
        Call, on_delete=models.PROTECT, primary_key=True, related_name="content"
    )
    body = models.BinaryField()
    kept_until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["kept_until"], name="call_content_kept_until")]

    def __str__(self) -> str:
        return str(self.call_id)


class WaitingCall(models.Model):
    """A call nobody has checked yet. The row is the queue: gone once its observations stand."""

    call = models.OneToOneField(
        Call, on_delete=models.PROTECT, primary_key=True, related_name="waiting"
    )
    stream = models.ForeignKey(CallStream, on_delete=models.PROTECT, related_name="waiting")
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.call_id)


class CallObservation(models.Model):
    """One check's answer on one call, with its place in the order of events and its weight in the
    bets (`pacts.live`)."""

    # The unique constraint below is its index.
    call = models.ForeignKey(
        Call, on_delete=models.PROTECT, related_name="observations", db_index=False
    )
    clause = models.CharField(max_length=64)
    check_version = models.PositiveSmallIntegerField()
    window = models.PositiveIntegerField()
    place = models.PositiveBigIntegerField()
    outcome = models.CharField(max_length=16)
    value = models.FloatField(null=True)
    weight = models.FloatField(default=1.0)
    reason = models.CharField(max_length=240, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["call", "clause", "check_version"], name="call_observation_once"
            ),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.clause}: {self.outcome}"


class CallShift(models.Model):
    """One batch of calls that a worker checked: how many, and how long that took."""

    stream = models.ForeignKey(CallStream, on_delete=models.PROTECT, related_name="shifts")
    first_place = models.PositiveBigIntegerField()
    calls = models.PositiveIntegerField()
    seconds = models.FloatField()
    finished_at = models.DateTimeField(db_index=True)

    class Meta:
        triggers = [never_edited()]

    def __str__(self) -> str:
        return f"{self.stream_id}+{self.calls}"


class CallSession(models.Model):
    """Calls that belong together, while more of them may come: what each clause that counts
    sessions has heard so far. One unit once it has ended (`pacts.live_sessions`)."""

    stream = models.ForeignKey(CallStream, on_delete=models.PROTECT, related_name="sessions")
    key = models.CharField(max_length=64)  # a digest of the caller's own name for it
    calls = models.PositiveIntegerField(default=0)
    found = models.JSONField(default=dict)  # clause → sums, as `pacts.live_sessions` writes them
    is_whole = models.BooleanField(default=True)  # no call of it may have been left out by sampling
    last_call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    last_call_at = models.DateTimeField()  # received
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stream", "key"],
                condition=models.Q(ended_at__isnull=True),
                name="call_session_one_open",
            ),
        ]
        indexes = [
            models.Index(
                fields=["last_call_at"],
                condition=models.Q(ended_at__isnull=True),
                name="call_session_idle",
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="ended_is_frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__ended_at__isnull=False),
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.stream_id}: {self.calls} calls"


class CallHearing(models.Model):
    """One call that chance drew for a jury or people, for one clause. The row is the queue: open
    until everybody has spoken or its time is over, then an observation like any other."""

    stream = models.ForeignKey(CallStream, on_delete=models.PROTECT, related_name="hearings")
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="hearings")
    clause = models.CharField(max_length=64)
    place = models.PositiveBigIntegerField()  # of the call in the order of events
    probability = models.FloatField()  # with which it came here: kept, and then drawn
    opened_at = models.DateTimeField()
    until = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["call", "clause"], name="call_hearing_once"),
            models.CheckConstraint(
                condition=models.Q(probability__gt=0, probability__lte=1),
                name="call_hearing_probability_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["stream", "clause"],
                condition=models.Q(closed_at__isnull=True),
                name="call_hearing_open",
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="closed_is_frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__closed_at__isnull=False),
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.clause} of {self.call_id}"


class ClauseWindow(models.Model):
    """One clause over one window of one stream: counts, evidence, where it latched, how it closed.

    `met_bets` and `breach_bets` are log wealths of what zeros and ones do not say: scores between,
    and calls that were kept with another probability than the smallest.
    """

    stream = models.ForeignKey(CallStream, on_delete=models.PROTECT, related_name="windows")
    clause = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField(null=True, blank=True)
    by_milestone = models.BooleanField(default=False)  # ends when the milestone is handed over
    units = models.PositiveBigIntegerField(default=0)
    weighted_passes = models.FloatField(default=0)
    weighted_failures = models.FloatField(default=0)
    plain_passes = models.PositiveBigIntegerField(default=0)
    plain_failures = models.PositiveBigIntegerField(default=0)
    errors = models.PositiveBigIntegerField(default=0)
    nulls = models.PositiveBigIntegerField(default=0)
    skipped = models.PositiveBigIntegerField(default=0)
    not_applicable = models.PositiveBigIntegerField(default=0)
    met_bets = models.JSONField(default=list)
    breach_bets = models.JSONField(default=list)
    seen = models.JSONField(default=dict)  # value → weight, on a scale of the check's own
    met_at = models.PositiveBigIntegerField(null=True)  # place of the call that crossed the line
    breached_at = models.PositiveBigIntegerField(null=True)
    status = models.CharField(
        max_length=16, choices=Verdict.Outcome.choices, default=Verdict.Outcome.UNDETERMINED
    )
    live = models.CharField(
        max_length=16, choices=Verdict.Outcome.choices, default=Verdict.Outcome.UNDETERMINED
    )
    marginal = models.BooleanField(default=False)
    estimate = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    ln_e_met = models.FloatField(null=True)
    ln_e_breach = models.FloatField(null=True)
    risk_share = models.FloatField(default=1.0)  # of the clause's alpha and beta, for this window
    reason = models.CharField(max_length=400, blank=True)
    method = models.CharField(max_length=32, blank=True)
    breach_evidence = models.CharField(max_length=48, blank=True)
    latched_at = models.DateTimeField(null=True, blank=True)
    concluded_at = models.DateTimeField(null=True, blank=True)
    evidence_id = models.CharField(max_length=48, blank=True)

    class Meta:
        ordering = ["stream", "clause", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["stream", "clause", "number"], name="clause_window_once"
            ),
            models.UniqueConstraint(
                fields=["stream", "clause"],
                condition=models.Q(concluded_at__isnull=True),
                name="clause_window_one_open",
            ),
        ]
        indexes = [
            models.Index(
                fields=["closes_at"],
                condition=models.Q(concluded_at__isnull=True),
                name="clause_window_closing",
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="concluded_is_frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__concluded_at__isnull=False),
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.clause}#{self.number}: {self.status}"


class DriftAlarm(models.Model):
    """Something changed: an outcome against its promise, a trait of the inputs, or the model."""

    class Level(models.TextChoices):
        WARN = "warn"
        ACT = "act"

    id = PublicIdField("drf", primary_key=True)
    stream = models.ForeignKey(CallStream, on_delete=models.PROTECT, related_name="alarms")
    what = models.CharField(max_length=16)  # outcome, language, length, shape, topic, model
    clause = models.CharField(max_length=64, blank=True)
    level = models.CharField(max_length=4, choices=Level.choices)
    place = models.PositiveBigIntegerField()
    says = models.CharField(max_length=240)
    raised_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48, blank=True)

    class Meta:
        ordering = ["-raised_at", "-id"]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.what} {self.level} at {self.place}"


class CallPolicy(models.Model):
    """How long the contents of an engagement's calls are kept, as the buyer said last."""

    class Keeps(models.TextChoices):
        FULL = "full"
        DIGESTS = "digests"  # contents go as soon as they are checked

    engagement = models.OneToOneField(
        Engagement, on_delete=models.PROTECT, primary_key=True, related_name="call_policy"
    )
    keeps = models.CharField(max_length=8, choices=Keeps.choices, default=Keeps.FULL)
    keep_days = models.PositiveSmallIntegerField(default=30)
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(keep_days__range=(1, 365)), name="call_policy_days_bounded"
            )
        ]

    def __str__(self) -> str:
        return f"{self.engagement_id}: {self.keeps}"
