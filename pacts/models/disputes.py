"""A challenge to an outcome, and the reasoned ruling that ends it."""

import pgtrigger
from django.db import models

from pacts.models.engagements import Milestone
from pacts.models.parties import Party, User
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import (
    never_emptied,
    never_removed,
    only_emptying,
    texts_erased_only,
)

_CLOSED = pgtrigger.Q(old__state__in=["ruled", "withdrawn", "settled", "defaulted", "unruled"])


class Dispute(models.Model):
    """Opened by one side inside the window; the money waits until it is ruled or withdrawn."""

    class Ground(models.TextChoices):
        NON_DELIVERY = "non_delivery"
        PERFORMANCE = "performance"
        SCOPE = "scope"
        INVALID_INPUT = "invalid_input"
        AMOUNT = "amount"
        MISREPRESENTATION = "misrepresentation"
        HUMAN_REVIEW = "human_review"  # opened by the pact's own rule for undetermined

    class State(models.TextChoices):
        OPEN = "open"
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
    statement = SealedTextField(max_length=4000)
    answer = SealedTextField(max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField()
    answer_by_at = models.DateTimeField()
    backstop_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["milestone"], condition=models.Q(state="open"), name="dispute_one_open"
            ),
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
            pgtrigger.Protect(name="closed_stays", operation=pgtrigger.Delete, condition=_CLOSED),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return self.id


class Ruling(models.Model):
    """A person's decision: what the builder is awarded, which clauses decide, and why."""

    id = PublicIdField("rul", primary_key=True)
    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, related_name="ruling")
    adjudicator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="rulings")
    award_bps = models.PositiveIntegerField()  # the builder's share; the rest returns to the buyer
    clauses = models.JSONField(default=list)  # keys of the clauses it cites
    reasons = SealedTextField(max_length=8000)
    ruled_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(award_bps__lte=10_000), name="ruling_award_bounded"
            ),
        ]
        triggers = [texts_erased_only("reasons"), never_removed()]

    def __str__(self) -> str:
        return f"{self.dispute_id}: {self.award_bps} bps"
