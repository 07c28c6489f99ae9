"""Benchmarks held against pacts, computed now and then and read often."""

from django.db import models


class Screening(models.Model):
    """One kind of work, as `marketplace.screening` last counted it.

    `agents` are the first by claim, at most `marketplace.screening.MOST_AGENTS`; the correlation
    and the choices are over all of them. `pairs` is a digest of what the correlation came from.
    """

    work = models.SlugField(max_length=40, primary_key=True)
    agents = models.JSONField(default=list)
    pairs = models.CharField(max_length=64)
    n = models.PositiveIntegerField()
    rho = models.FloatField(null=True)
    p_value = models.FloatField(null=True)
    hires = models.PositiveIntegerField(default=0)
    comparable = models.PositiveIntegerField(default=0)
    disagreed = models.PositiveIntegerField(default=0)
    benchmark = models.PositiveIntegerField(default=0)
    pact = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField()

    class Meta:
        ordering = ["work"]

    def __str__(self) -> str:
        return self.work
