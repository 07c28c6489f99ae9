"""Standing as stored: whole numbers folded from the log; folding it again gives the same rows."""

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q

from reputation.identifiers import ID_MAX_LENGTH
from reputation.models.evidence import Evidence


def _id(**options: Any) -> "models.CharField[str, str]":
    return models.CharField(max_length=ID_MAX_LENGTH, db_collation="C", **options)


def _sum() -> "models.DecimalField[Any, Any]":
    """A sum of `reputation.ageing.weight`: a whole number that outgrows a bigint."""
    return models.DecimalField(max_digits=400, decimal_places=0, default=0)


def _moves_noted() -> pgtrigger.Trigger:
    """Notes each score whose rank, number, bounds or age of evidence became another."""
    return pgtrigger.Trigger(
        name="moves_noted",
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func="""
            IF TG_OP = 'UPDATE' AND (OLD.rank, OLD.score_bps, OLD.bounds, OLD.measured_at)
                IS NOT DISTINCT FROM (NEW.rank, NEW.score_bps, NEW.bounds, NEW.measured_at) THEN
                RETURN NULL;
            END IF;
            INSERT INTO reputation_scoremove (version_id) VALUES (NEW.version_id);
            RETURN NULL;
        """,
    )


class Standing(models.Model):
    """What the log says of one dimension of one agent version; rates are computed when read."""

    agent_id = _id()
    version_id = _id()
    dimension = models.CharField(max_length=80)
    method = models.CharField(max_length=16)
    verdicts = models.BigIntegerField()
    passes = models.BigIntegerField()
    failures = models.BigIntegerField()
    decayed_passes = models.DecimalField(max_digits=400, decimal_places=0)
    decayed_failures = models.DecimalField(max_digits=400, decimal_places=0)
    credited_passes = _sum()
    credited_failures = _sum()
    canary_passes = _sum()
    canary_failures = _sum()
    buyers = models.BigIntegerField(default=0)
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
                condition=Q(passes__gte=0, failures__gte=0, verdicts__gte=0),
            ),
        ]
        indexes = [models.Index(fields=["version_id"], name="standing_of_version")]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.version_id} {self.dimension}"


class BuyerShare(models.Model):
    """How much of one tally is one buyer's."""

    agent_id = _id()
    version_id = _id()
    dimension = models.CharField(max_length=80)
    buyer_id = _id()
    passes = _sum()
    failures = _sum()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version_id", "buyer_id", "dimension", "agent_id"], name="share_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.buyer_id} in {self.version_id} {self.dimension}"


class BuyerStanding(models.Model):
    """What the log says of a buyer, in counts: `reputation.credibility.Buyer`."""

    buyer_id = _id(primary_key=True)
    hires = models.BigIntegerField(default=0)
    ties = models.BigIntegerField(default=0)
    disputes = models.BigIntegerField(default=0)
    rulings = models.BigIntegerField(default=0)
    upheld = models.BigIntegerField(default=0)
    silences = models.BigIntegerField(default=0)
    own_passes = models.BigIntegerField(default=0)
    own_units = models.BigIntegerField(default=0)
    canary_passes = models.BigIntegerField(default=0)
    canary_units = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.buyer_id


class BuyerTie(models.Model):
    """What passed between a buyer and a builder it hired."""

    buyer_id = _id()
    builder_id = _id()
    hires = models.BigIntegerField()
    measured = models.BigIntegerField(default=0)
    counts = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["buyer_id", "builder_id"], name="tie_once"),
        ]

    def __str__(self) -> str:
        return f"{self.buyer_id} hired {self.builder_id}"


class BuilderReach(models.Model):
    """How many buyers have a measured, settled hire of a builder."""

    builder_id = _id(primary_key=True)
    buyers = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.builder_id


class VersionRecord(models.Model):
    """Counts of one agent version that belong to no dimension: `reputation.tallies.Record`."""

    agent_id = _id()
    version_id = _id()
    started = models.BigIntegerField(default=0)
    concluded = models.BigIntegerField(default=0)
    own_started = models.BigIntegerField(default=0)
    verdicts = models.BigIntegerField(default=0)
    tasks = models.BigIntegerField(default=0)
    met = models.BigIntegerField(default=0)
    breached = models.BigIntegerField(default=0)
    critical_breaches = models.BigIntegerField(default=0)
    rulings = models.BigIntegerField(default=0)
    disputes = models.BigIntegerField(default=0)
    claim_bps = models.IntegerField(null=True)
    changed_at = models.CharField(max_length=32, blank=True, default="")  # as the log writes it
    changed_evidence = _id(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version_id", "agent_id"], name="record_once"),
        ]

    def __str__(self) -> str:
        return self.version_id


class OpenRun(models.Model):
    """An evaluation under an engagement that the log does not know the end of."""

    evaluation_id = _id(primary_key=True)
    milestone_id = _id(db_index=True)
    settled = models.BooleanField(default=False)
    buyer_id = _id(blank=True)
    builder_id = _id(blank=True)

    def __str__(self) -> str:
        return self.evaluation_id


class UnruledDispute(models.Model):
    """A dispute in the log that nobody has ruled on, and the buyer who opened it."""

    dispute_id = _id(primary_key=True)
    buyer_id = _id(blank=True)

    def __str__(self) -> str:
        return self.dispute_id


class UnsettledVerdict(models.Model):
    """A logged verdict that would count and waits for the settlement of its milestone."""

    evidence = models.OneToOneField(Evidence, on_delete=models.PROTECT, primary_key=True)
    milestone_id = _id(blank=True, default="", db_index=True)

    def __str__(self) -> str:
        return f"{self.evidence_id} is not settled"


class StandingScore(models.Model):
    """What to rank and filter a version by, as of an hour: so that the database can do it.

    `rank` is `reputation.standing.Composite.rank`, and exact for the hour `scored_at`: new evidence
    moves it in its own transaction, and ageing at the turn of the hour.
    """

    version_id = _id(primary_key=True)
    agent_id = _id(db_index=True)
    rank = models.IntegerField(null=True)
    score_bps = models.IntegerField(null=True)
    bounds = models.JSONField(default=dict)  # dimension → its lower bound, basis points
    is_vouched = models.BooleanField()
    status = models.CharField(max_length=16)
    units = models.BigIntegerField()
    measured_at = models.DateTimeField(null=True)  # when its newest evidence was made
    scored_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["rank", "version_id"], name="standing_ranked")]
        triggers = [_moves_noted()]

    def __str__(self) -> str:
        return f"{self.version_id} at {self.scored_at}"


class ScoreMove(models.Model):
    """A version whose stored score may have moved. Whoever copies scores takes the row in the
    statement that reads the score, so that it sees both or neither."""

    version_id = _id()

    def __str__(self) -> str:
        return f"{self.version_id} moved"


class StandingPoint(models.Model):
    """What moved a version's standing, and what it was afterwards: history, and its reasons."""

    agent_id = _id()
    version_id = _id()
    evidence_id = _id()
    cause_id = _id()
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    permille = models.PositiveSmallIntegerField()
    changes = models.JSONField(default=dict)
    score_bps = models.IntegerField(null=True)
    shown_bps = models.IntegerField(null=True)
    confidence_bps = models.IntegerField(null=True)
    is_vouched = models.BooleanField()
    status = models.CharField(max_length=16)
    units = models.BigIntegerField()
    freshness_seconds = models.BigIntegerField(null=True)
    claim_bps = models.IntegerField(null=True)
    met = models.BigIntegerField()
    breached = models.BigIntegerField()
    tasks = models.BigIntegerField()
    disputes = models.BigIntegerField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["version_id", "evidence_id", "cause_id"], name="standing_point_once"
            ),
        ]
        indexes = [models.Index(fields=["agent_id", "-id"], name="standing_history")]

    def __str__(self) -> str:
        return f"{self.version_id} moved by {self.evidence_id}"


class StandingCursor(models.Model):
    """How far into the log the standings have read; moved in the transaction that moves them."""

    method = models.CharField(max_length=16, primary_key=True)
    next_index = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.method} at {self.next_index}"
