"""What a jury and people said of a run's answers: disagreement, and what each word cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db.models import Count, F, Q, QuerySet, Sum

from pacts.models import Evaluation, Judgement, ReviewItem

MOST_SPLIT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitAnswer:
    """An answer of which one juror said pass and another fail; the cost is of all its words."""

    position: int
    words: list[Judgement]

    @property
    def cost_micros(self) -> int:
        return sum(word.cost_micros for word in self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A run's words, what they cost in millionths of the provider's currency, and people's share:
    `drawn` answers were drawn for people, who are to give `wanted` labels and gave `labels`."""

    answers: int
    words: int
    open: int
    failed: int
    abstained: int
    disagreed: int
    cost_micros: int
    split: list[SplitAnswer]
    drawn: int
    wanted: int
    labels: int
    until: datetime

    @property
    def word_micros(self) -> float:
        """What one word cost on average."""
        return self.cost_micros / self.words if self.words else 0.0

    @property
    def waiting(self) -> int:
        """Labels that people still owe."""
        return self.wanted - self.labels


def heard_of(run: Evaluation) -> Heard | None:
    """What was said of a run's answers; None for a run that asked nobody."""
    words = Judgement.objects.filter(trial__evaluation=run)
    items = ReviewItem.objects.filter(batch__evaluation=run)
    if not words.exists() and not items.exists():
        return None
    state, said = Judgement.State, Judgement.Said
    counts = words.aggregate(
        words=Count("id", filter=Q(state=state.DONE)),
        open=Count("id", filter=Q(state__in=[state.QUEUED, state.RUNNING])),
        failed=Count("id", filter=Q(state=state.FAILED)),
        abstained=Count("id", filter=Q(said=said.ABSTAIN)),
        cost_micros=Sum("cost_micros", default=0),
        answers=Count("trial", distinct=True),
    )
    apart = _apart(words)
    owed = items.aggregate(drawn=Count("id"), wanted=Sum("batch__reviewers", default=0))
    return Heard(
        **counts,
        **owed,
        disagreed=apart.count(),
        split=_split(words, apart[:MOST_SPLIT]),
        labels=items.aggregate(labels=Count("labels"))["labels"],
        until=run.deadline_at,
    )


def _apart(words: "QuerySet[Judgement]") -> "QuerySet[Judgement, tuple[int, str]]":
    """(trial, jury) of the answers that jurors of one jury disagree on, in the run's order."""
    said = {
        name: Count("id", filter=Q(said=name))
        for name in (Judgement.Said.PASS.value, Judgement.Said.FAIL.value)
    }
    pairs = words.order_by("trial__position", "jury_id").values_list("trial_id", "jury_id")
    return pairs.annotate(
        passes=said["pass"], fails=said["fail"], position=F("trial__position")
    ).filter(passes__gt=0, fails__gt=0)


def _split(words: "QuerySet[Judgement]", apart: Iterable[tuple[int, str]]) -> list[SplitAnswer]:
    pairs = {(row[0], row[1]) for row in apart}
    rows = words.filter(trial__in={trial for trial, _ in pairs}).select_related("trial", "jury")
    ordered = rows.order_by("trial__position", "jury_id", "juror")
    return [
        SplitAnswer(position=trial.position, words=found)
        for key, group in groupby(ordered, key=lambda word: (word.trial_id, word.jury_id))
        if key in pairs and (found := list(group)) and (trial := found[0].trial)
    ]
