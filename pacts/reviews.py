"""People's reading of answers: drawn with a known probability, blind, said once, never changed.

A batch commits to its seed when the run starts, before any answer exists. Reviewers get the
question, the task and the answer: not the agent, its builder, the buyer, the jury or each other.
Whoever acts or acted for a party of the case finds the item as if it were not there; the label of
whoever acts for one now is refused by the database besides.
"""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Min, Q, QuerySet

from pacts.disputes.interests import parties_of
from pacts.judges.calibration import cohens_kappa
from pacts.judges.sampling import commitment, is_drawn
from pacts.judges.votes import Said
from pacts.models import (
    Evaluation,
    Jury,
    ReviewBatch,
    ReviewItem,
    ReviewLabel,
    Trial,
    User,
)
from pacts.outputs import Answered, answers_of, answers_of_calls
from reputation import evidence
from reputation.canonical import JsonValue
from reputation.hints import hint

SEED_BYTES = 32
LONGEST_NOTE = 1_000


class ReviewRefused(ValueError):
    """The label cannot be taken; the message says why."""


class NotAReviewer(PermissionError):
    """Only adjudicators review answers."""


class AlreadyLabelled(ReviewRefused):
    """This reviewer has said what they think of this answer; labels are never changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blinded:
    """All a reviewer sees of one answer."""

    id: str
    question: str
    task: JsonValue
    answer: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class RaterAgreement:
    """How far reviewers of the same answers agree: over the first two labels of each answer that
    has two. `kappa` is Cohen's; None where it has no meaning."""

    answers: int
    agreed: int
    kappa: float | None


def open_batch(
    *,
    purpose: ReviewBatch.Purpose,
    evaluation: Evaluation,
    clause: str,
    question: str,
    probability_bps: int,
    reviewers: int,
    jury: Jury | None,
    now: datetime,
) -> ReviewBatch:
    """Commit to a draw, in the caller's transaction."""
    seed = secrets.token_bytes(SEED_BYTES)
    batch = ReviewBatch.objects.create(
        purpose=purpose,
        evaluation=evaluation,
        clause=clause,
        jury=jury,
        question=question,
        probability_bps=probability_bps,
        reviewers=reviewers,
        seed=seed,
        commitment=commitment(seed),
        opened_at=now,
    )
    evidence.append(
        kind="review.committed",
        subjects={"review": batch.id, "evaluation": evaluation.id},
        facts={
            "purpose": batch.purpose,
            "probability_bps": probability_bps,
            "reviewers": reviewers,
        },
        digests={"commitment": batch.commitment},
        at=now,
    )
    return batch


def draw(*, batch: ReviewBatch, trials: Sequence[Trial], now: datetime) -> list[ReviewItem]:
    """Draw from the answers there are, once, and open the commitment in the log."""
    if batch.drawn_at is not None:
        return list(batch.items.all())
    seed = bytes(batch.seed)
    chosen = [
        trial
        for trial in trials
        if is_drawn(seed=seed, position=trial.position, probability_bps=batch.probability_bps)
    ]
    items = ReviewItem.objects.bulk_create(
        [ReviewItem(batch=batch, trial=trial) for trial in chosen]
    )
    batch.population, batch.drawn, batch.drawn_at = len(trials), len(items), now
    batch.save(update_fields=["population", "drawn", "drawn_at"])
    evidence.append(
        kind="review.drawn",
        subjects={"review": batch.id, "evaluation": batch.evaluation_id},
        facts={"seed": seed.hex(), "population": len(trials), "drawn": len(items)},
        at=now,
        dedupe_key=f"review.drawn:{batch.id}",
    )
    return items


def queue_for(reviewer: User) -> QuerySet[ReviewItem]:
    """The answers that wait for this reviewer, oldest first: not labelled enough, not by them, and
    none of a case they have an interest in."""
    own = parties_of(reviewer)
    case = "batch__evaluation__"
    interest = (
        Q(**{f"{case}requested_by__in": own})
        | Q(**{f"{case}agent_version__agent__builder__in": own})
        | Q(**{f"{case}task_set_version__task_set__owner__in": own})
        | Q(**{f"{case}deliverable__milestone__engagement__buyer__in": own})
        | Q(batch__stream__engagement__buyer__in=own)
        | Q(batch__stream__engagement__builder__in=own)
    )
    counts = Q(batch__purpose=ReviewBatch.Purpose.CALIBRATION)
    counts |= Q(hearing__isnull=False, hearing__closed_at=None)
    counts |= Q(batch__evaluation__state=Evaluation.State.RUNNING)
    return (
        ReviewItem.objects.filter(counts)
        .exclude(interest)
        .exclude(labels__reviewer=reviewer)
        .annotate(given=Count("labels"))
        .filter(given__lt=F("batch__reviewers"))
        .order_by("id")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much waits for a reviewer. `runs` counts verdicts that wait for it, `until` is when the
    first verdict is reached, or production call counted, without them."""

    answers: int
    runs: int
    until: datetime | None


def waiting_for(reviewer: User) -> Waiting:
    """What waits for this reviewer, in figures."""
    queue = queue_for(reviewer)
    running = Evaluation.objects.filter(
        review_batches__items__in=queue.values("pk"), state=Evaluation.State.RUNNING
    )
    found = running.aggregate(runs=Count("pk", distinct=True), until=Min("deadline_at"))
    calls = queue.aggregate(until=Min("hearing__until"))["until"]
    ends = [end for end in (found["until"], calls) if end is not None]
    return Waiting(answers=queue.count(), runs=found["runs"], until=min(ends, default=None))


def blinded(item: ReviewItem) -> Blinded:
    """What a reviewer sees of an answer."""
    answered = _answered(item)
    return Blinded(
        id=item.id, question=item.batch.question, task=answered.task, answer=answered.output
    )


def _answered(item: ReviewItem) -> Answered:
    if item.trial_id is not None:
        return answers_of([item.trial_id])[item.trial_id]
    hearing = item.hearing_id or 0
    return answers_of_calls([hearing])[hearing]


def label(
    *, item: ReviewItem, reviewer: User, said: Said, note: str = "", now: datetime
) -> ReviewLabel:
    """Say once what one thinks. Raises NotAReviewer, AlreadyLabelled, ReviewRefused."""
    if not reviewer.is_adjudicator:
        raise NotAReviewer("only adjudicators review answers")
    if len(note) > LONGEST_NOTE:
        raise ReviewRefused(f"a note has at most {LONGEST_NOTE} characters")
    if ReviewLabel.objects.filter(item=item, reviewer=reviewer).exists():
        raise AlreadyLabelled("you labelled this answer already; labels are never changed")
    if not queue_for(reviewer).filter(pk=item.pk).exists():
        raise ReviewRefused("this answer needs no more labels")
    try:
        with transaction.atomic():
            found = ReviewLabel.objects.create(
                item=item, reviewer=reviewer, said=said, note=note.strip(), labelled_at=now
            )
    except IntegrityError as error:
        raise AlreadyLabelled("this answer cannot be labelled by you") from error
    if item.hearing_id is not None:
        hint("pacts.tasks.close_hearings")
    else:
        hint("pacts.tasks.conclude_evaluation", item.batch.evaluation_id)
    return found


def people_of(batch: ReviewBatch) -> dict[int, list[Said]]:
    """What people said, by trial: every drawn answer is there, with an empty list where nobody
    has."""
    found: dict[int, list[Said]] = {
        trial: [] for trial in batch.items.values_list("trial_id", flat=True)
    }
    labels = ReviewLabel.objects.filter(item__batch=batch).order_by("id")
    for trial, said in labels.values_list("item__trial_id", "said"):
        found[trial].append(said)  # type: ignore[arg-type]
    return found


def waits(batch: ReviewBatch) -> bool:
    """Whether a drawn answer has fewer labels than were asked for."""
    items = batch.items.annotate(given=Count("labels"))
    return items.filter(given__lt=batch.reviewers).exists()


def agreement(labels: QuerySet[ReviewLabel]) -> RaterAgreement:
    """Inter-rater agreement over these labels."""
    by_item: dict[str, list[Said]] = defaultdict(list)
    for item, said in labels.order_by("id").values_list("item_id", "said"):
        by_item[item].append(said)  # type: ignore[arg-type]
    pairs = [(said[0], said[1]) for said in by_item.values() if len(said) > 1]
    return RaterAgreement(
        answers=len(pairs), agreed=sum(a == b for a, b in pairs), kappa=cohens_kappa(pairs)
    )
