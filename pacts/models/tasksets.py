"""Golden sets: versioned lists of tasks with the answers their owner expects."""

from django.db import models

from pacts.models.parties import Party
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import append_only


class TaskSet(models.Model):
    """A golden set of the buyer, the builder or the platform (no owner)."""

    id = PublicIdField("tsk", primary_key=True)
    owner = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, blank=True, related_name="task_sets"
    )
    name = models.CharField(max_length=120)
    work = models.SlugField(max_length=40)
    note = SealedTextField(max_length=2000, blank=True)
    # A pool of canaries: never a milestone's tasks, mixed unseen into runs of other sets.
    canaries = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class TaskSetVersion(models.Model):
    """One frozen list of tasks; its salted commitment is evidence before the first use."""

    id = PublicIdField("tsv", primary_key=True)
    task_set = models.ForeignKey(TaskSet, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=80)
    salt = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["task_set", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["task_set", "number"], name="task_set_number_once"),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.task_set} v{self.number} ({self.size} tasks)"


class Task(models.Model):
    """One task: an input, what its owner expects, and whether it is inside the pact's scope."""

    version = models.ForeignKey(TaskSetVersion, on_delete=models.PROTECT, related_name="tasks")
    position = models.PositiveIntegerField()
    input = models.JSONField()
    expected = models.JSONField(null=True)
    in_scope = models.BooleanField(default=True)
    stratum = models.CharField(max_length=40, blank=True)
    # Tasks of one session are one unit of a clause that counts sessions; empty: one of its own.
    session = models.CharField(max_length=40, blank=True, default="")
    # The owner's own rewordings: each an object whose members replace those of the input.
    paraphrases = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="task_position_once"),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.version_id}#{self.position}"
