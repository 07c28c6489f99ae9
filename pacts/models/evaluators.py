"""Third parties that evaluate hires."""

import pgtrigger
from django.db import models

from pacts.models.parties import Party, User
from pacts.models.tasksets import TaskSetVersion
from reputation.fields import PublicIdField
from reputation.triggers import never_emptied


class EvaluatorOffer(models.Model):
    """A party's word that it judges other people's hires on one of its own task sets.

    Whoever hires under a pact that wants a third party chooses one of these; nobody but the
    evaluator reads the tasks. An offer that ended binds no new hire.
    """

    id = PublicIdField("evo", primary_key=True)
    evaluator = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="evaluator_offers")
    task_set_version = models.ForeignKey(
        TaskSetVersion, on_delete=models.PROTECT, related_name="evaluator_offers"
    )
    about = models.CharField(max_length=1000, blank=True)  # how it made the tasks, for both sides
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by_staff = models.BooleanField(default=False)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["task_set_version"],
                condition=models.Q(ended_at__isnull=True),
                name="evaluator_offer_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_by_staff=False) | models.Q(ended_at__isnull=False),
                name="evaluator_offer_ended_by_somebody",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="offer_is_fixed",
                fields=["evaluator", "task_set_version", "about", "opened_at", "opened_by"],
            ),
            pgtrigger.Protect(
                name="ended_is_frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__ended_at__isnull=False),
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.evaluator_id} on {self.task_set_version_id}"
