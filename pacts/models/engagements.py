"""A pact version in force between a buyer and a builder, at a price, in milestones."""

import pgtrigger
from django.db import models

from pacts.models.agents import AgentVersion
from pacts.models.parties import Party, Signature, User
from pacts.models.promises import PactVersion
from pacts.models.separation import without_a_side
from pacts.models.tasksets import TaskSetVersion
from reputation.fields import PublicIdField
from reputation.triggers import never_emptied


class Engagement(models.Model):
    """Agreed once both parties signed the digest of its terms; its terms never change."""

    class State(models.TextChoices):
        PROPOSED = "proposed"  # waits for a signature
        ACTIVE = "active"  # signed by both
        CLOSED = "closed"  # every milestone reached a terminal outcome
        LAPSED = "lapsed"  # the offer expired unsigned, or nothing was funded in time
        CANCELLED = "cancelled"  # by agreement of both sides, before any money was set aside

    id = PublicIdField("eng", primary_key=True)
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="hires")
    builder = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="jobs")
    agent_version = models.ForeignKey(
        AgentVersion, on_delete=models.PROTECT, related_name="engagements"
    )
    pact_version = models.ForeignKey(
        PactVersion, on_delete=models.PROTECT, related_name="engagements"
    )
    # The third party whose verdict the money waits for; null is the platform.
    evaluator = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, blank=True, related_name="judges"
    )
    currency = models.CharField(max_length=12)
    fee_bps = models.PositiveIntegerField()
    # Marginal bands `[{"above": minor units, "fee_bps": bps}, ...]`; none is `fee_bps` throughout.
    fee_bands = models.JSONField(default=list, blank=True)
    # The timers, in seconds; every one is shown before funding.
    work_seconds = models.PositiveIntegerField()  # funding → everything handed over
    evaluation_seconds = models.PositiveIntegerField()  # handed over → verdict
    acceptance_seconds = models.PositiveIntegerField()  # verdict → silence is consent
    cure_seconds = models.PositiveIntegerField()  # breach → last moment for a better delivery
    # signed (or the last outcome) → the next milestone is funded; None is for ever
    funding_seconds = models.PositiveIntegerField(null=True, blank=True)
    max_revisions = models.PositiveSmallIntegerField(default=1)
    digest = models.CharField(max_length=80)  # of `agreement(engagement)`; both sign it
    buyer_signature = models.ForeignKey(
        Signature, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    builder_signature = models.ForeignKey(
        Signature, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    offer_expires_at = models.DateTimeField()
    signed_at = models.DateTimeField(null=True, blank=True)
    fund_by_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-proposed_at"]
        indexes = [
            models.Index(
                fields=["fund_by_at"],
                condition=models.Q(state="active"),
                name="engagement_to_be_funded",
            ),
            models.Index(fields=["buyer", "-proposed_at"], name="engagement_of_buyer"),
            models.Index(fields=["builder", "-proposed_at"], name="engagement_of_builder"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(buyer=models.F("builder")), name="engagement_not_with_oneself"
            ),
            models.CheckConstraint(
                condition=models.Q(evaluator__isnull=True)
                | ~models.Q(evaluator=models.F("buyer")) & ~models.Q(evaluator=models.F("builder")),
                name="engagement_judged_by_a_third",
            ),
            models.CheckConstraint(
                condition=models.Q(fee_bps__lte=10_000), name="engagement_fee_bounded"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["proposed", "lapsed"])
                | models.Q(buyer_signature__isnull=False, builder_signature__isnull=False),
                name="engagement_in_force_is_signed",
            ),
        ]
        triggers = [
            without_a_side(),
            pgtrigger.ReadOnly(
                name="terms_are_fixed",
                fields=[
                    *("buyer", "builder", "agent_version", "pact_version", "currency", "fee_bps"),
                    *("fee_bands", "work_seconds", "evaluation_seconds", "acceptance_seconds"),
                    *("cure_seconds", "funding_seconds", "max_revisions", "digest", "evaluator"),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Milestone(models.Model):
    """A priced part of an engagement: one task set, one escrow, one outcome."""

    id = PublicIdField("mst", primary_key=True)
    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="milestones")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120)
    amount = models.PositiveBigIntegerField()
    bond = models.PositiveBigIntegerField(default=0)  # what the builder stakes, in minor units
    task_set_version = models.ForeignKey(
        TaskSetVersion, on_delete=models.PROTECT, related_name="milestones"
    )
    started_at = models.DateTimeField(null=True, blank=True)  # the moment it was funded
    submit_by_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)  # never funded, and never will be

    class Meta:
        ordering = ["engagement", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["engagement", "position"], name="milestone_position_once"
            ),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="milestone_has_a_price"),
            models.CheckConstraint(
                condition=models.Q(cancelled_at__isnull=True) | models.Q(started_at__isnull=True),
                name="milestone_cancelled_was_never_funded",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="terms_are_fixed",
                fields=["engagement", "position", "title", "amount", "bond", "task_set_version"],
            )
        ]

    def __str__(self) -> str:
        return f"{self.engagement_id}#{self.position}"


class Deliverable(models.Model):
    """What was handed over for a milestone; a revision is a new deliverable."""

    id = PublicIdField("dlv", primary_key=True)
    milestone = models.ForeignKey(Milestone, on_delete=models.PROTECT, related_name="deliverables")
    number = models.PositiveSmallIntegerField()  # 0 is the first, 1.. are revisions
    agent_version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["milestone", "number"]
        constraints = [
            models.UniqueConstraint(fields=["milestone", "number"], name="deliverable_number_once"),
        ]
        triggers = [
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.milestone_id}/{self.number}"
