"""Decisions about disputes: by whom, confirmed by whom, appealed, and what they teach others."""

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models

from pacts.models.disputes import Dispute
from pacts.models.parties import Party, User
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import never_removed, texts_erased_only

# Nobody who acts or acted for a side or for the owner of the tasks decides, whoever asks; nor who
# dealt with one of them before, nor who stepped back from the case, nor, on appeal, whoever had a
# part in the first ruling.
_NO_INTEREST = """
    IF NEW.adjudicator_id IS NOT NULL AND (EXISTS (
        WITH own AS (
            SELECT party_id FROM pacts_member WHERE user_id = NEW.adjudicator_id UNION
            SELECT party_id FROM pacts_pastmember WHERE user_id = NEW.adjudicator_id UNION
            SELECT party_id FROM pacts_signature WHERE signed_by_id = NEW.adjudicator_id
        ), sides AS (
            SELECT unnest(ARRAY[e.buyer_id, e.builder_id, e.evaluator_id, t.owner_id]) AS party_id
              FROM pacts_dispute d
              JOIN pacts_milestone m ON m.id = d.milestone_id
              JOIN pacts_engagement e ON e.id = m.engagement_id
              JOIN pacts_tasksetversion v ON v.id = m.task_set_version_id
              JOIN pacts_taskset t ON t.id = v.task_set_id
             WHERE d.id = {dispute}
        )
        SELECT FROM own JOIN sides USING (party_id)
        UNION ALL
        SELECT FROM own JOIN pacts_engagement e ON e.buyer_id = own.party_id
          JOIN sides ON sides.party_id = e.builder_id WHERE e.state IN ('active', 'closed')
        UNION ALL
        SELECT FROM own JOIN pacts_engagement e ON e.builder_id = own.party_id
          JOIN sides ON sides.party_id = e.buyer_id WHERE e.state IN ('active', 'closed')
    ) OR EXISTS (
        SELECT FROM pacts_recusal r
         WHERE r.dispute_id = {dispute} AND r.adjudicator_id = NEW.adjudicator_id
    ) OR {again}) THEN
        RAISE EXCEPTION 'adjudicator % has an interest in dispute %', NEW.adjudicator_id, {dispute}
            USING ERRCODE = '23514', CONSTRAINT = 'ruling_without_interest';
    END IF;
    RETURN NEW;
"""
_HAD_A_PART = """EXISTS (
        SELECT FROM pacts_ruling r LEFT JOIN pacts_confirmation c ON c.ruling_id = r.id
         WHERE r.dispute_id = this_case AND r.level < this_level
           AND NEW.adjudicator_id IN (r.adjudicator_id, c.adjudicator_id))"""


def _without_interest(*, dispute: str, again: str) -> pgtrigger.Trigger:
    """`dispute` finds `this_case` and `this_level`; `again` is who else is refused."""
    return pgtrigger.Trigger(
        name="without_interest",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        declare=[("this_case", "text"), ("this_level", "int"), ("author", "text")],
        func=dispute + _NO_INTEREST.format(dispute="this_case", again=again),
    )


class Ruling(models.Model):
    """A decision: what the builder is awarded, which clauses decide, and why.

    By a person, or by rule where the pact is plain (`by_rule`, without an adjudicator).
    """

    id = PublicIdField("rul", primary_key=True)
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="rulings")
    level = models.PositiveSmallIntegerField(default=1)  # 2 is the appeal's
    by_rule = models.BooleanField(default=False)
    adjudicator = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="rulings"
    )
    award_bps = models.PositiveIntegerField()  # the builder's share; the rest returns to the buyer
    clauses = models.JSONField(default=list)  # keys of the clauses it cites
    reasons = SealedTextField(max_length=8000)
    ruled_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        ordering = ["ruled_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(award_bps__lte=10_000), name="ruling_award_bounded"
            ),
            models.CheckConstraint(
                condition=models.Q(by_rule=True, adjudicator__isnull=True, level=1)
                | models.Q(by_rule=False, adjudicator__isnull=False),
                name="ruling_by_a_rule_or_a_person",
            ),
        ]
        triggers = [
            texts_erased_only("reasons"),
            never_removed(),
            _without_interest(
                dispute="this_case := NEW.dispute_id; this_level := NEW.level;",
                again=_HAD_A_PART,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dispute_id}: {self.award_bps} bps"


class Confirmation(models.Model):
    """What a second person said of a ruling above the limit; a declined one is void."""

    id = PublicIdField("cnf", primary_key=True)
    ruling = models.OneToOneField(Ruling, on_delete=models.PROTECT, related_name="confirmation")
    adjudicator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="confirmations")
    confirmed = models.BooleanField()
    reasons = SealedTextField(max_length=4000, blank=True)
    decided_at = models.DateTimeField()
    evidence_id = models.CharField(max_length=48)

    class Meta:
        triggers = [
            texts_erased_only("reasons"),
            never_removed(),
            _without_interest(
                dispute="SELECT r.dispute_id, r.level, r.adjudicator_id"
                " INTO this_case, this_level, author"
                " FROM pacts_ruling r WHERE r.id = NEW.ruling_id;",
                again=f"NEW.adjudicator_id = author OR {_HAD_A_PART}",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ruling_id}: {'confirmed' if self.confirmed else 'declined'}"


class Appeal(models.Model):
    """One side asks, once, that somebody else looks again."""

    id = PublicIdField("apl", primary_key=True)
    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, related_name="appeal")
    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="appeals")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    statement = SealedTextField(max_length=4000)
    appealed_at = models.DateTimeField()

    class Meta:
        triggers = [texts_erased_only("statement"), never_removed()]

    def __str__(self) -> str:
        return f"{self.dispute_id} by {self.party_id}"


class Recusal(models.Model):
    """An adjudicator stepped back from a case, and has no part in it any more."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="recusals")
    adjudicator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="recusals")
    reason = SealedTextField(max_length=1000, blank=True)
    recused_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dispute", "adjudicator"], name="recusal_once"),
        ]
        triggers = [texts_erased_only("reason"), never_removed()]

    def __str__(self) -> str:
        return f"{self.adjudicator_id} in {self.dispute_id}"


class Precedent(models.Model):
    """What a final ruling teaches, without anybody's name: public, and searchable."""

    id = PublicIdField("prc", primary_key=True)
    dispute = models.OneToOneField(Dispute, on_delete=models.PROTECT, related_name="precedent")
    ground = models.CharField(max_length=20, choices=Dispute.Ground.choices)
    work = models.CharField(max_length=40, blank=True)  # the kind of work the agent does
    clause_kinds = models.JSONField(default=list)  # the checks of the clauses it cites
    award_bps = models.PositiveIntegerField()
    measured_bps = models.PositiveIntegerField(null=True)  # what the verdict alone would have paid
    track = models.CharField(max_length=5, choices=Dispute.Track.choices)
    by_rule = models.BooleanField()
    level = models.PositiveSmallIntegerField()
    # Names, addresses and ids are taken out by rule; a person may take out more.
    reasons = models.TextField(max_length=9000)
    reviewed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField()
    words = models.TextField()  # ground, work and checks as words, to be found by
    search = models.GeneratedField(
        expression=SearchVector("words", "reasons", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["-published_at"]
        indexes = [GinIndex(fields=["search"], name="precedent_search")]
        triggers = [
            pgtrigger.ReadOnly(
                name="facts_are_fixed",
                fields=[
                    *("dispute", "ground", "work", "clause_kinds", "award_bps", "measured_bps"),
                    *("track", "by_rule", "level", "published_at", "words"),
                ],
            ),
            never_removed(),
        ]

    def __str__(self) -> str:
        return self.id
