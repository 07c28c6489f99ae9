"""Standing as stored: whole numbers folded from the log; folding it again gives the same rows."""

from django.db import models
from django.db.models import Q

from reputation.identifiers import ID_MAX_LENGTH
from reputation.models.evidence import Evidence


class Standing(models.Model):
    """What the log says of one dimension of one agent version; scores are computed when read.

    `decayed_*` are sums of `reputation.tallies.weight`: whole numbers that outgrow a bigint.
    """

    agent_id = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C")
    version_id = models.CharField(max_length=ID_MAX_LENGTH, db_collation="C")
    dimension = models.CharField(max_length=80)
    method = models.CharField(max_length=16)
    verdicts = models.BigIntegerField()
    passes = models.BigIntegerField()
    failures = models.BigIntegerField()
    decayed_passes = models.DecimalField(max_digits=400, decimal_places=0)
    decayed_failures = models.DecimalField(max_digits=400, decimal_places=0)
    promise_bps = models.IntegerField()
    floor_bps = models.IntegerField()
    first_evidence_at = models.DateTimeField()
    last_evidence_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agent_id", "version_id", "dimension"], name="standing_one_per_dimension"
            ),
            models.CheckConstraint(
                name="standing_counts_units",
                condition=Q(passes__gte=0, failures__gte=0, verdicts__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.version_id} {self.dimension}"


class UnsettledVerdict(models.Model):
    """A logged verdict that would count and waits for the settlement that names it."""

    evidence = models.OneToOneField(Evidence, on_delete=models.PROTECT, primary_key=True)

    def __str__(self) -> str:
        return f"{self.evidence_id} is not settled"


class StandingCursor(models.Model):
    """How far into the log the standings have read; moved in the transaction that moves them."""

    method = models.CharField(max_length=16, primary_key=True)
    next_index = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.method} at {self.next_index}"
