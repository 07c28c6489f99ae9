"""What a buyer needs, under a pact of its own, and the sealed offers builders make for it."""

import pgtrigger
from django.db import models
from django.db.models import Q

from pacts.models.agents import AgentVersion
from pacts.models.engagements import Engagement
from pacts.models.parties import Party, User
from pacts.models.promises import PactVersion
from reputation.fields import PublicIdField, SealedTextField
from reputation.identifiers import ID_MAX_LENGTH
from reputation.triggers import never_emptied


class Need(models.Model):
    """Work a buyer wants done under its own pact. Its terms are fixed once it is posted."""

    class State(models.TextChoices):
        OPEN = "open"  # takes offers, sealed
        REVEALED = "revealed"  # every offer was opened; the buyer chooses
        CLOSED = "closed"

    class Ending(models.TextChoices):
        PICKED = "picked"
        NO_PICK = "no_pick"  # nothing was chosen in time
        NO_OFFERS = "no_offers"
        WITHDRAWN = "withdrawn"  # by the buyer, before the offers were opened

    id = PublicIdField("ned", primary_key=True)
    buyer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="needs")
    title = models.CharField(max_length=120)
    about = models.TextField(max_length=4000, blank=True)
    work = models.SlugField(max_length=40)
    pact_version = models.ForeignKey(PactVersion, on_delete=models.PROTECT, related_name="needs")
    samples = models.JSONField(default=list, blank=True)  # `{"input", "expected"}`, for builders
    ceiling = models.PositiveBigIntegerField()  # the most one milestone may cost, minor units
    currency = models.CharField(max_length=12)
    starts_on = models.DateField(null=True, blank=True)
    offers_until = models.DateTimeField()  # at exactly this moment an offer still counts
    choose_until = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    ended_as = models.CharField(max_length=10, choices=Ending.choices, blank=True, default="")
    engagement = models.ForeignKey(
        Engagement, on_delete=models.PROTECT, null=True, blank=True, related_name="needs"
    )
    posted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    posted_at = models.DateTimeField()
    revealed_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-posted_at"]
        indexes = [
            models.Index(fields=["offers_until"], condition=Q(state="open"), name="need_taking"),
            models.Index(
                fields=["choose_until"], condition=Q(state="revealed"), name="need_choosing"
            ),
            models.Index(fields=["buyer", "-posted_at"], name="need_of_buyer"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ceiling__gt=0), name="need_has_a_ceiling"),
            models.CheckConstraint(
                condition=Q(choose_until__gt=models.F("offers_until")),
                name="need_is_chosen_after_offers",
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) & ~Q(ended_as="")
                | ~Q(state="closed") & Q(ended_as="", closed_at__isnull=True),
                name="need_closed_says_how",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="terms_are_fixed",
                fields=[
                    *("buyer", "title", "about", "work", "pact_version", "samples", "ceiling"),
                    *("currency", "starts_on", "offers_until", "choose_until", "posted_at"),
                ],
            ),
            pgtrigger.Protect(
                name="closed_is_closed",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__state="closed"),
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return self.title


class SealedOffer(models.Model):
    """One builder's offer: sealed, committed to in the log, opened with all others of its need.

    What it says stands in no readable column before the reveal; a replaced or withdrawn one is
    never opened.
    """

    class State(models.TextChoices):
        STANDING = "standing"
        REPLACED = "replaced"
        WITHDRAWN = "withdrawn"
        REVEALED = "revealed"

    class Outcome(models.TextChoices):
        PICKED = "picked"
        PASSED_OVER = "passed_over"
        UNFIT = "unfit"  # nothing could come of it when it was opened

    id = PublicIdField("off", primary_key=True)
    need = models.ForeignKey(Need, on_delete=models.PROTECT, related_name="offers")
    builder = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="sealed_offers")
    sealed = SealedTextField()  # the document, its nonce, the note and the note's salt, as JSON
    commitment = models.CharField(max_length=80)
    sealed_evidence_id = models.CharField(max_length=ID_MAX_LENGTH)
    state = models.CharField(max_length=10, choices=State.choices, default=State.STANDING)
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True, blank=True)
    # From here on only once it is opened.
    agent_version = models.ForeignKey(
        AgentVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="sealed_offers"
    )
    price = models.PositiveBigIntegerField(null=True, blank=True)  # of one milestone
    work_seconds = models.PositiveIntegerField(null=True, blank=True)
    note = SealedTextField(blank=True, default="")
    nonce = models.CharField(max_length=80, blank=True, default="")
    revealed_evidence_id = models.CharField(max_length=ID_MAX_LENGTH, blank=True, default="")
    unfit = models.CharField(max_length=300, blank=True, default="")
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True, default="")

    class Meta:
        ordering = ["need", "placed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["need", "builder"],
                condition=Q(state="standing"),
                name="sealed_offer_stands_once",
            ),
            models.CheckConstraint(
                condition=Q(state="revealed", price__isnull=False, agent_version__isnull=False)
                | ~Q(state="revealed")
                & Q(price__isnull=True, agent_version__isnull=True, note="", nonce="", outcome=""),
                name="sealed_offer_shows_nothing_before",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="sealed_is_sealed",
                fields=[
                    *("need", "builder", "commitment", "sealed_evidence_id"),
                    *("placed_by", "placed_at"),
                ],
            ),
            pgtrigger.Protect(
                name="sealed_is_only_erased",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.sealed IS DISTINCT FROM NEW.sealed AND NEW.sealed <> ''"
                ),
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.need_id} {self.state}"
