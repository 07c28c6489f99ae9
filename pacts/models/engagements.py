"""A pact version in force between a buyer and a builder, at a price, in milestones."""

import pgtrigger
from django.db import models

from pacts.models.agents import AgentVersion
from pacts.models.parties import Party, Signature, User
from pacts.models.promises import PactVersion
from pacts.models.tasksets import TaskSetVersion
from reputation.fields import PublicIdField
from reputation.triggers import never_emptied


class Engagement(models.Model):
    """Agreed once both parties signed the digest of its terms; its terms never change."""

    class State(models.TextChoices):
        PROPOSED = "proposed"  # waits for a signature
        ACTIVE = "active"  # signed by both
        CLOSED = "closed"  # every milestone reached a terminal outcome
        LAPSED = "lapsed"  # the offer expired unsigned

    id = PublicIdField("eng", primary_key=True)
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="hires")
    builder = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="jobs")
    agent_version = models.ForeignKey(
        AgentVersion, on_delete=models.PROTECT, related_name="engagements"
    )
    pact_version = models.ForeignKey(
        PactVersion, on_delete=models.PROTECT, related_name="engagements"
    )
    currency = models.CharField(max_length=12)
    fee_bps = models.PositiveIntegerField()
    # The timers, in seconds; every one is shown before funding.
    work_seconds = models.PositiveIntegerField()  # funding → everything handed over
    evaluation_seconds = models.PositiveIntegerField()  # handed over → verdict
    acceptance_seconds = models.PositiveIntegerField()  # verdict → silence is consent
    cure_seconds = models.PositiveIntegerField()  # breach → last moment for a better delivery
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
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-proposed_at"]
        indexes = [
            models.Index(fields=["buyer", "-proposed_at"], name="engagement_of_buyer"),
            models.Index(fields=["builder", "-proposed_at"], name="engagement_of_builder"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(buyer=models.F("builder")), name="engagement_not_with_oneself"
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

    def __str__(self) -> str:
        return self.id


class Milestone(models.Model):
    """A priced part of an engagement: one task set, one escrow, one outcome."""

    id = PublicIdField("mst", primary_key=True)
    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="milestones")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120)
    amount = models.PositiveBigIntegerField()
    task_set_version = models.ForeignKey(
        TaskSetVersion, on_delete=models.PROTECT, related_name="milestones"
    )
    started_at = models.DateTimeField(null=True, blank=True)  # the moment it was funded
    submit_by_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["engagement", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["engagement", "position"], name="milestone_position_once"
            ),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="milestone_has_a_price"),
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
