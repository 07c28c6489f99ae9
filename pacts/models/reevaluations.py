"""Which evaluation answers which restriction."""

from django.db import models

from pacts.models.evaluations import Evaluation
from reputation.models import Firing
from reputation.triggers import append_only


class ReEvaluation(models.Model):
    """An evaluation by the platform that a fired control asked for."""

    firing = models.ForeignKey(Firing, on_delete=models.PROTECT, related_name="re_evaluations")
    evaluation = models.OneToOneField(
        Evaluation, on_delete=models.PROTECT, related_name="re_evaluation"
    )

    class Meta:
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.evaluation_id} for {self.firing_id}"
