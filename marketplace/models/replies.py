"""What a builder says to a finding about its agent: signed, public, its own words, erasable."""

from django.db import models

from marketplace.models.incidents import Incident
from pacts.models import Agent, Evaluation, Party, Signature, User
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import never_removed


class FindingReply(models.Model):
    """One version of a reply beside an evaluation or an incident. A change is a further row.

    The log keeps `digest`, which commits to the text under `salt`; erasing both leaves it and the
    signature over it, and says nothing of the words any more.
    """

    id = PublicIdField("rpl", primary_key=True)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="replies")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    evaluation = models.ForeignKey(
        Evaluation, on_delete=models.PROTECT, null=True, blank=True, related_name="replies"
    )
    incident = models.ForeignKey(
        Incident, on_delete=models.PROTECT, null=True, blank=True, related_name="replies"
    )
    number = models.PositiveIntegerField()
    text = SealedTextField(blank=True)
    salt = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=80)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    evidence_id = models.CharField(max_length=48)
    replied_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(evaluation__isnull=True, incident__isnull=False)
                | models.Q(evaluation__isnull=False, incident__isnull=True),
                name="reply_is_about_one_thing",
            ),
            models.CheckConstraint(
                condition=models.Q(erased_at__isnull=True) | models.Q(text="", salt=""),
                name="reply_erased_says_nothing",
            ),
            models.UniqueConstraint(
                fields=["evaluation", "incident", "number"],
                name="reply_number_once",
                nulls_distinct=False,
            ),
        ]
        triggers = [never_removed()]

    def __str__(self) -> str:
        return f"reply {self.number} on {self.evaluation_id or self.incident_id}"
