"""Which run had canaries mixed in, and from which pool."""

from django.db import models

from pacts.models.evaluations import Evaluation
from pacts.models.tasksets import TaskSetVersion
from reputation.triggers import append_only


class CanaryDraw(models.Model):
    """Canaries in one evaluation: its trials whose tasks are of `pool`. Nobody outside the
    platform reads this while the run is under way, and its builder never does."""

    evaluation = models.OneToOneField(
        Evaluation, on_delete=models.PROTECT, primary_key=True, related_name="canary_draw"
    )
    pool = models.ForeignKey(TaskSetVersion, on_delete=models.PROTECT, related_name="+")
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(count__gt=0), name="canary_draw_not_empty")
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.count} canaries in {self.evaluation_id}"
