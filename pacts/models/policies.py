"""What the platform itself sets, as versions: numbers that every floor reads at its own moment."""

from django.db import models
from django.db.models import F, Q

from pacts.models.parties import User
from reputation.fields import PublicIdField
from reputation.triggers import append_only


class PolicyVersion(models.Model):
    """The settings of the platform that differ from their defaults, from one moment on.

    `values` are whole numbers by key; what a key means is said where it is read
    (`pacts.procedure.ruleset`, `settlement.exposure`, `settlement.cooldowns`), what may be set in
    `marketplace.policy_terms`. `seconded_by` is the second person a change of money terms needs.
    """

    id = PublicIdField("pol", primary_key=True)
    number = models.PositiveIntegerField(unique=True)
    values = models.JSONField(default=dict)
    reason = models.CharField(max_length=1000)
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    seconded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    changed_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        ordering = ["-number"]
        indexes = [models.Index(fields=["changed_at"], name="policy_by_moment")]
        constraints = [
            models.CheckConstraint(
                condition=Q(seconded_by=None) | ~Q(seconded_by=F("changed_by")),
                name="policy_seconded_by_another",
            )
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"policy {self.number}"
