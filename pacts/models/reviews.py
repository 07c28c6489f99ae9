"""People's own reading of answers: what was drawn by chance, and what each reviewer said."""

import pgtrigger
from django.db import models

from pacts.models.calls import CallHearing, CallStream
from pacts.models.evaluations import Evaluation, Trial
from pacts.models.juries import Jury
from pacts.models.parties import User
from reputation.fields import PublicIdField, SealedTextField
from reputation.triggers import append_only, never_emptied, never_removed, texts_erased_only

# No member of the buyer, the builder or the owner of the tasks labels an answer, whoever asks.
_NO_INTEREST = """
    IF EXISTS (
        SELECT 1 FROM pacts_reviewitem i
          JOIN pacts_callhearing h ON h.id = i.hearing_id
          JOIN pacts_callstream c ON c.id = h.stream_id
          JOIN pacts_engagement g ON g.id = c.engagement_id
          JOIN pacts_member m ON m.party_id IN (g.buyer_id, g.builder_id)
         WHERE i.id = NEW.item_id AND m.user_id = NEW.reviewer_id
         UNION ALL
        SELECT 1 FROM pacts_reviewitem i
          JOIN pacts_reviewbatch b ON b.id = i.batch_id
          JOIN pacts_evaluation e ON e.id = b.evaluation_id
          JOIN pacts_agentversion v ON v.id = e.agent_version_id
          JOIN pacts_agent a ON a.id = v.agent_id
          JOIN pacts_tasksetversion s ON s.id = e.task_set_version_id
          JOIN pacts_taskset k ON k.id = s.task_set_id
          JOIN pacts_member m ON m.party_id IN (e.requested_by_id, a.builder_id, k.owner_id)
         WHERE i.id = NEW.item_id AND m.user_id = NEW.reviewer_id
         UNION ALL
        SELECT 1 FROM pacts_reviewitem i
          JOIN pacts_reviewbatch b ON b.id = i.batch_id
          JOIN pacts_evaluation e ON e.id = b.evaluation_id
          JOIN pacts_deliverable d ON d.id = e.deliverable_id
          JOIN pacts_milestone l ON l.id = d.milestone_id
          JOIN pacts_engagement g ON g.id = l.engagement_id
          JOIN pacts_member m ON m.party_id = g.buyer_id
         WHERE i.id = NEW.item_id AND m.user_id = NEW.reviewer_id
    ) THEN
        RAISE EXCEPTION 'a reviewer acts for a party of the case' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
"""


class ReviewBatch(models.Model):
    """Answers of one run that chance chose for people.

    The seed is committed to before any answer exists; the draw follows from it and nothing else.
    """

    class Purpose(models.TextChoices):
        AUDIT = "audit"  # holds a jury's findings of this run to people's
        SAMPLE = "sample"  # people alone decide the clause
        CALIBRATION = "calibration"  # teaches how far a jury may be believed; decides nothing here

    id = PublicIdField("rvb", primary_key=True)
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    evaluation = models.ForeignKey(
        Evaluation, on_delete=models.PROTECT, null=True, blank=True, related_name="review_batches"
    )
    stream = models.ForeignKey(  # of production calls, instead of a run
        CallStream, on_delete=models.PROTECT, null=True, blank=True, related_name="review_batches"
    )
    clause = models.CharField(max_length=64, blank=True)  # empty for a calibration
    jury = models.ForeignKey(
        Jury, on_delete=models.PROTECT, null=True, blank=True, related_name="review_batches"
    )
    question = models.TextField(max_length=4000)
    probability_bps = models.PositiveIntegerField()
    reviewers = models.PositiveSmallIntegerField(default=1)  # labels wanted for each answer
    seed = models.BinaryField(max_length=32)
    commitment = models.CharField(max_length=80)
    population = models.PositiveIntegerField(null=True, blank=True)  # answers drawn from
    drawn = models.PositiveIntegerField(null=True, blank=True)
    opened_at = models.DateTimeField()
    drawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "review batches"
        constraints = [
            models.UniqueConstraint(
                fields=["evaluation", "clause"],
                condition=~models.Q(clause=""),
                name="review_batch_once_per_clause",
            ),
            models.UniqueConstraint(
                fields=["stream", "clause"], name="review_batch_once_per_stream_and_clause"
            ),
            models.CheckConstraint(
                condition=models.Q(evaluation__isnull=True) ^ models.Q(stream__isnull=True),
                name="review_batch_of_one_source",
            ),
            models.CheckConstraint(
                condition=models.Q(probability_bps__range=(1, 10_000)),
                name="review_probability_known",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="drawn_is_frozen",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Q(old__drawn_at__isnull=False),
            ),
            never_emptied(),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.evaluation_id or self.stream_id}"


class ReviewItem(models.Model):
    """One drawn answer."""

    id = PublicIdField("rvi", primary_key=True)
    batch = models.ForeignKey(ReviewBatch, on_delete=models.PROTECT, related_name="items")
    trial = models.ForeignKey(
        Trial, on_delete=models.PROTECT, null=True, blank=True, related_name="review_items"
    )
    hearing = models.ForeignKey(
        CallHearing, on_delete=models.PROTECT, null=True, blank=True, related_name="review_items"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "trial"], name="review_item_once"),
            models.UniqueConstraint(fields=["hearing"], name="review_item_once_a_hearing"),
            models.CheckConstraint(
                condition=models.Q(trial__isnull=True) ^ models.Q(hearing__isnull=True),
                name="review_item_of_one_answer",
            ),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return self.id


class ReviewLabel(models.Model):
    """What one reviewer said of one answer, once."""

    class Said(models.TextChoices):
        PASS = "pass"  # noqa: S105
        FAIL = "fail"
        ABSTAIN = "abstain"

    id = PublicIdField("rvl", primary_key=True)
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="labels")
    reviewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="review_labels")
    said = models.CharField(max_length=8, choices=Said.choices)
    note = SealedTextField(max_length=1000, blank=True)
    labelled_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "reviewer"], name="review_label_once"),
        ]
        triggers = [
            texts_erased_only("note"),
            never_removed(),
            pgtrigger.Trigger(
                name="without_interest",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_NO_INTEREST,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.said}"
