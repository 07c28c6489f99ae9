"""Several agents tried at once on the same tasks, and tables whose columns wait to be mapped."""

from django.db import models

from marketplace.models.market import Listing
from pacts.models import Engagement, Evaluation, PactVersion, Party, TaskSetVersion, User
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import never_emptied


class TaskSheet(models.Model):
    """A table of tasks as somebody brought it, until its columns are mapped to a task set.

    `text` is what was pasted or uploaded where it was text, `rows` the same as JSON Lines of
    objects by column. Both are forgotten once the set is made, or after a week.
    """

    id = PublicIdField("sht", primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="task_sheets")
    name = models.CharField(max_length=120)
    work = models.SlugField(max_length=40)
    columns = models.JSONField(default=list)
    size = models.PositiveIntegerField(default=0)  # rows that could be read
    text = SealedTextField(blank=True, default="")
    rows = SealedTextField(blank=True, default="")
    problems = SealedTextField(blank=True, default="")  # JSON: [place, what is wrong]
    brought_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    brought_at = models.DateTimeField(db_index=True)
    task_set_version = models.ForeignKey(
        TaskSetVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-brought_at"]

    def __str__(self) -> str:
        return self.name


class Tryout(models.Model):
    """Up to four agents tried on one task set in one press."""

    id = PublicIdField("try", primary_key=True)
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="tryouts")
    task_set_version = models.ForeignKey(
        TaskSetVersion, on_delete=models.PROTECT, related_name="tryouts"
    )
    # What all are held against; null is each agent's own pact.
    pact_version = models.ForeignKey(
        PactVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="tryouts"
    )
    paid = models.BooleanField(default=False)  # hired at the listed price, not merely tried
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["party", "-started_at"], name="tryout_of_party")]
        triggers = [never_emptied()]

    def __str__(self) -> str:
        return self.id


class TryoutAgent(models.Model):
    """One agent of a tryout: its run, or the engagement whose milestone is its run."""

    tryout = models.ForeignKey(Tryout, on_delete=models.PROTECT, related_name="agents")
    position = models.PositiveSmallIntegerField()
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="+")
    evaluation = models.OneToOneField(
        Evaluation, on_delete=models.PROTECT, null=True, blank=True, related_name="tryout"
    )
    engagement = models.OneToOneField(
        Engagement, on_delete=models.PROTECT, null=True, blank=True, related_name="tryout"
    )

    class Meta:
        ordering = ["tryout", "position"]
        constraints = [
            models.UniqueConstraint(fields=["tryout", "position"], name="tryout_position_once"),
            models.UniqueConstraint(fields=["tryout", "listing"], name="tryout_agent_once"),
            models.CheckConstraint(
                condition=models.Q(evaluation__isnull=False, engagement__isnull=True)
                | models.Q(evaluation__isnull=True, engagement__isnull=False),
                name="tryout_agent_has_a_run",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tryout_id}#{self.position}"
