"""What was promised, or is asked for: a pact, and its frozen, hashed, signed versions."""

import pgtrigger
from django.db import models

from pacts.models.agents import Agent
from pacts.models.parties import Party, Signature
from reputation.fields import PublicIdField
from reputation.triggers import never_emptied


class Pact(models.Model):
    """The promise of one agent, as a series of versions; or what a buyer asks of any agent."""

    id = PublicIdField("pct", primary_key=True)
    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="pacts"
    )
    # Whose wish it is: such a pact is nobody's promise until an engagement under it is signed.
    buyer = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, blank=True, related_name="wishes"
    )
    # Whom alone its agent promises it to, as agreed in hires; null is everybody.
    agreed_with = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, blank=True, related_name="own_pacts"
    )
    title = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "agreed_with"],
                condition=models.Q(agreed_with__isnull=False),
                name="pact_agreed_with_a_buyer_once",
            ),
            models.CheckConstraint(
                condition=models.Q(agent__isnull=True, buyer__isnull=False)
                | models.Q(agent__isnull=False, buyer__isnull=True),
                name="pact_of_an_agent_or_of_a_buyer",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def may_judge(self, *, agent_id: str, buyer_id: str) -> bool:
        """Whether an agent may be held against it on a party's behalf: as its promise to everybody
        or to this buyer, by its own builder, or as this buyer's wish."""
        if self.buyer_id is not None:
            return self.buyer_id == buyer_id
        if self.agent_id != agent_id:
            return False
        if self.agreed_with_id in (None, buyer_id):
            return True
        return self.agent is not None and self.agent.builder_id == buyer_id


class PactVersion(models.Model):
    """One text of a pact. A draft may change; a published version is frozen by the database, and so
    is one that was agreed with one buyer alone: that one is never published."""

    id = PublicIdField("pcv", primary_key=True)
    pact = models.ForeignKey(Pact, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    terms = models.JSONField()
    digest = models.CharField(max_length=80)  # SHA-256 of the terms' canonical JSON (RFC 8785)
    signature = models.ForeignKey(
        Signature, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True)
    agreed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pact", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["pact", "number"], name="pact_version_number_once"),
            models.CheckConstraint(
                condition=models.Q(published_at__isnull=True) | models.Q(signature__isnull=False),
                name="pact_version_published_is_signed",
            ),
            models.CheckConstraint(
                condition=models.Q(agreed_at__isnull=True)
                | models.Q(signature__isnull=False, published_at__isnull=True),
                name="pact_version_agreed_is_signed",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="published_is_frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__published_at__isnull=False)
                | pgtrigger.Q(old__agreed_at__isnull=False),
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.pact} v{self.number}"

    @property
    def is_in_force(self) -> bool:
        """Whether it may be hired under: published, or agreed with one buyer."""
        return self.published_at is not None or self.agreed_at is not None
