"""A challenge to an outcome: its clocks, its steps, and what the sides bring."""

from datetime import datetime

import pgtrigger
from django.db import models

from pacts.models.engagements import Milestone
from pacts.models.evaluations import Evaluation, Verdict
from pacts.models.parties import Party, User
from pacts.procedure import clocks
from pacts.procedure.clocks import Docket, Periods
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import (
    append_only,
    never_emptied,
    never_removed,
    only_emptying,
    texts_erased_only,
)

_CLOSED = pgtrigger.Q(old__state="closed")


class Dispute(models.Model):
    """Opened by one side inside the window; the money waits until it is closed."""

    class Ground(models.TextChoices):
        NON_DELIVERY = "non_delivery"
        PERFORMANCE = "performance"
        SCOPE = "scope"
        INVALID_INPUT = "invalid_input"
        AMOUNT = "amount"
        MISREPRESENTATION = "misrepresentation"
        HUMAN_REVIEW = "human_review"  # opened by the pact's own rule for undetermined

    class Track(models.TextChoices):
        FULL = "full"
        SMALL = "small"  # up to the limit of its currency: a short path

    class State(models.TextChoices):
        OPENED = "opened"  # the other side owes an answer
        NEGOTIATING = "negotiating"  # answered; both may agree on a split (at any time, in fact)
        EVIDENCE_OPEN = "evidence_open"
        EVIDENCE_LOCKED = "evidence_locked"  # the contested run is checked again
        UNDER_REVIEW = "under_review"  # a person rules
        RULED = "ruled"  # waits for a second person
        CHALLENGE_WINDOW = "challenge_window"  # no money moves yet: either side may appeal, once
        APPEALED = "appealed"  # somebody else rules, once more and finally
        CLOSED = "closed"

    class Outcome(models.TextChoices):
        RULED = "ruled"
        WITHDRAWN = "withdrawn"
        SETTLED = "settled"  # both sides agreed how the money splits
        DEFAULTED = "defaulted"  # the side that owed an answer was silent, so the other side won
        UNRULED = "unruled"  # nobody ruled before the backstop: principal went back to the buyer

    id = PublicIdField("dsp", primary_key=True)
    milestone = models.ForeignKey(Milestone, on_delete=models.PROTECT, related_name="disputes")
    opened_by = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, blank=True, related_name="disputes"
    )
    opened_by_user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    ground = models.CharField(max_length=20, choices=Ground.choices)
    clauses = models.JSONField(default=list, blank=True)  # keys of the contested clauses; [] is all
    statement = SealedTextField(max_length=4000)
    answer = SealedTextField(max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    track = models.CharField(max_length=5, choices=Track.choices, default=Track.FULL)
    periods = models.JSONField(default=dict)  # seconds; as they were when it was opened
    needs_second = models.BooleanField(default=False)  # a person's ruling waits for another's
    # Where it stands: `pacts.procedure.clocks` says what silence at `due_at` means.
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPENED)
    entered_at = models.DateTimeField()
    due_at = models.DateTimeField()
    level = models.PositiveSmallIntegerField(default=1)  # 2 once appealed
    awaits_second = models.BooleanField(default=False)
    buyer_rested_at = models.DateTimeField(null=True, blank=True)  # has nothing to add
    builder_rested_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField()
    answer_by_at = models.DateTimeField()
    backstop_at = models.DateTimeField()
    # The contested verdict, and the same checks made again over the stored answers.
    verdict = models.ForeignKey(
        Verdict, on_delete=models.PROTECT, null=True, blank=True, related_name="disputes"
    )
    recheck = models.OneToOneField(
        Evaluation, on_delete=models.PROTECT, null=True, blank=True, related_name="disputed_by"
    )
    rechecked_at = models.DateTimeField(null=True, blank=True)  # the rule has looked at it
    # The ruling that stands: confirmed where it had to be; an appeal's replaces the first.
    ruling = models.OneToOneField(
        "pacts.Ruling", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    assigned_to = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="cases"
    )
    assigned_at = models.DateTimeField(null=True, blank=True)
    # How it ended. `measured_bps` is what the builder would have had without it.
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True, default="")
    share_bps = models.PositiveIntegerField(null=True, blank=True)
    measured_bps = models.PositiveIntegerField(null=True, blank=True)
    lost_by = models.CharField(max_length=8, blank=True, default="")  # buyer, builder or nobody
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at"]
        indexes = [
            models.Index(
                fields=["due_at"], condition=~models.Q(state="closed"), name="dispute_due"
            ),
            models.Index(
                fields=["recheck"],
                condition=models.Q(recheck__isnull=False, rechecked_at__isnull=True),
                name="dispute_to_recheck",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["milestone"],
                condition=~models.Q(state="closed"),
                name="dispute_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(state="closed", closed_at__isnull=False) & ~models.Q(outcome="")
                | ~models.Q(state="closed") & models.Q(closed_at__isnull=True, outcome=""),
                name="dispute_closed_by_an_outcome",
            ),
            models.CheckConstraint(condition=models.Q(level__in=[1, 2]), name="dispute_one_appeal"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="closed_is_frozen",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=_CLOSED,
                func=only_emptying("statement", "answer"),
            ),
            pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def is_open(self) -> bool:
        """Whether the money still waits for it."""
        return self.state != self.State.CLOSED

    @property
    def ends_by_at(self) -> datetime:
        """When it is over at the latest, if everything takes as long as it may."""
        periods = Periods.of(self.periods) if self.periods else clocks.FULL
        return self.backstop_at + periods.challenge + periods.appeal

    @property
    def docket(self) -> Docket:
        """Its clocks as they are stored; `clocks.look` moves them to now."""
        engagement = self.milestone.engagement
        ruling = self.ruling
        return Docket(
            state=self.state,  # type: ignore[arg-type]
            entered_at=self.entered_at,
            due_at=self.due_at,
            backstop_at=self.backstop_at,
            periods=Periods.of(self.periods) if self.periods else clocks.FULL,
            outcome=self.outcome,  # type: ignore[arg-type]
            owing="builder" if self.opened_by_id == engagement.buyer_id else "buyer",
            rested=bool(self.buyer_rested_at and self.builder_rested_at),
            rechecking=bool(self.recheck_id and not self.rechecked_at),
            awaits_second=self.awaits_second,
            level=self.level,
            award_bps=ruling.award_bps if ruling else None,
            is_review=self.ground == self.Ground.HUMAN_REVIEW,
        )


class Exhibit(models.Model):
    """One item a side brings: its type is checked, its digest is in the log, its body sealed.

    The digest is over a salt and the body, so that nobody guesses a body from it. Both are erased
    together; the digest stays.
    """

    class Kind(models.TextChoices):
        TEXT = "text/plain"
        JSON = "application/json"
        CSV = "text/csv"
        PNG = "image/png"
        JPEG = "image/jpeg"
        PDF = "application/pdf"

    id = PublicIdField("exh", primary_key=True)
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="exhibits")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="exhibits")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    title = SealedTextField(max_length=200)
    size = models.PositiveIntegerField()  # of the body, in bytes
    digest = models.CharField(max_length=80)
    sealed = models.BinaryField()  # salt and body under SECRET_KEY; empty once erased
    added_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        ordering = ["added_at", "pk"]
        triggers = [texts_erased_only("title", "sealed"), never_removed()]

    def __str__(self) -> str:
        return f"{self.pk} ({self.kind}, {self.size} bytes)"


class DisputeStep(models.Model):
    """One step of a dispute as it was taken: for its timeline, never for a decision."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="steps")
    state = models.CharField(max_length=16, choices=Dispute.State.choices)
    entered_at = models.DateTimeField()
    due_at = models.DateTimeField()
    by_silence = models.BooleanField(default=False)  # the deadline before it passed

    class Meta:
        ordering = ["dispute", "pk"]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.dispute_id}: {self.state}"
