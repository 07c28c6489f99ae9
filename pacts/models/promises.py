"""What was promised: a pact, and its frozen, hashed, signed versions."""

import pgtrigger
from django.db import models

from pacts.models.agents import Agent
from pacts.models.parties import Signature
from reputation.fields import PublicIdField
from reputation.triggers import never_emptied


class Pact(models.Model):
    """The promise of one agent, as a series of versions."""

    id = PublicIdField("pct", primary_key=True)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="pacts")
    title = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.title


class PactVersion(models.Model):
    """One text of a pact. A draft may change; a published version is frozen by the database."""

    id = PublicIdField("pcv", primary_key=True)
    pact = models.ForeignKey(Pact, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    terms = models.JSONField()
    digest = models.CharField(max_length=80)  # SHA-256 of the terms' canonical JSON (RFC 8785)
    signature = models.ForeignKey(
        Signature, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pact", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["pact", "number"], name="pact_version_number_once"),
            models.CheckConstraint(
                condition=models.Q(published_at__isnull=True) | models.Q(signature__isnull=False),
                name="pact_version_published_is_signed",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="published_is_frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__published_at__isnull=False),
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.pact} v{self.number}"
