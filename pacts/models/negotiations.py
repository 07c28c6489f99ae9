"""Two parties on their way from published terms to terms of their own, offer by offer."""

from datetime import datetime

import pgtrigger
from django.db import models
from django.db.models import Q

from pacts.models.agents import AgentVersion
from pacts.models.engagements import Engagement
from pacts.models.parties import Party, User
from pacts.models.promises import PactVersion
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import never_emptied, only_emptying


class Negotiation(models.Model):
    """Begun by the buyer from what a builder offers everybody. What is only talked about is
    private to the two; no evidence names it before they agree."""

    class State(models.TextChoices):
        OPEN = "open"
        AGREED = "agreed"  # an engagement signed by both came of it
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"

    id = PublicIdField("ngt", primary_key=True)
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    builder = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    # The third party whose tasks decide, where the pact asks for one.
    evaluator = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    agent_version = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+")
    # What the builder promises everybody; each offer is held against it.
    published = models.ForeignKey(PactVersion, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=12)
    listed = SealedTextField(blank=True)  # the offer everybody gets, as JSON; sealed and erasable
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(buyer=models.F("builder")), name="negotiation_not_with_oneself"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="negotiation_closed_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["buyer", "-opened_at"], name="negotiation_of_buyer"),
            models.Index(fields=["builder", "-opened_at"], name="negotiation_of_builder"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="closed_is_frozen",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="open"),
                func=only_emptying("listed"),
            ),
            pgtrigger.ReadOnly(
                name="sides_are_fixed",
                fields=["buyer", "builder", "evaluator", "agent_version", "published", "currency"],
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def ends_by_at(self) -> datetime:
        """When it ends by itself, unless somebody offers other terms."""
        return max(one.expires_at for one in self.proposals.all())


class Proposal(models.Model):
    """One offer of one side: a version of everything both would sign. One is open at a time.

    The ids of the engagement and of its own pact version are fixed here, so the digest that both
    would sign stands before anybody accepts.
    """

    class State(models.TextChoices):
        OPEN = "open"
        ACCEPTED = "accepted"
        COUNTERED = "countered"  # the other side offered something else
        REPLACED = "replaced"  # the same side offered something else
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"

    id = PublicIdField("prp", primary_key=True)
    negotiation = models.ForeignKey(Negotiation, on_delete=models.PROTECT, related_name="proposals")
    number = models.PositiveSmallIntegerField()
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    terms = SealedTextField(blank=True)  # `pacts.offered` as JSON
    note = SealedTextField(blank=True)
    fee_bps = models.PositiveIntegerField()
    fee_bands = models.JSONField(default=list, blank=True)
    engagement_ref = PublicIdField("eng")
    pact_version_ref = PublicIdField("pcv")
    digest = models.CharField(max_length=80)  # of the agreement both would sign
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    engagement = models.OneToOneField(
        Engagement, on_delete=models.PROTECT, null=True, blank=True, related_name="proposal"
    )

    class Meta:
        ordering = ["negotiation", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["negotiation", "number"], name="proposal_number_once"),
            models.UniqueConstraint(
                fields=["negotiation"], condition=Q(state="open"), name="proposal_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="proposal_closed_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="accepted", engagement__isnull=False)
                | (~Q(state="accepted") & Q(engagement__isnull=True)),
                name="proposal_accepted_is_an_engagement",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="open"), name="proposal_open")
        ]
        triggers = [
            pgtrigger.Trigger(
                name="closed_is_frozen",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="open"),
                func=only_emptying("terms", "note"),
            ),
            pgtrigger.Protect(
                name="open_says_what_it_said",
                operation=pgtrigger.UpdateOf("terms", "note"),  # type: ignore[no-untyped-call]
                condition=pgtrigger.Q(old__state="open"),
            ),
            pgtrigger.ReadOnly(
                name="offer_is_fixed",
                fields=[
                    *("negotiation", "number", "party", "by", "fee_bps", "fee_bands", "digest"),
                    *("engagement_ref", "pact_version_ref", "proposed_at", "expires_at"),
                ],
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.negotiation_id}/{self.number}"
