"""Clauses that a jury or people decide: opened with the run, heard when its trials are in, closed
into observations like any other check's.

Between the last trial and the verdict such a run waits: for jurors minutes, for people until its
deadline at the latest. What nobody said by then is an error of the platform, never a pass or a
fail.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet, Sum

from pacts import reviews
from pacts.checks import CHECKS, Answer, Call
from pacts.checks.check import error
from pacts.judges import hearings
from pacts.judges.sampling import WHOLE
from pacts.judges.votes import Said, Votes
from pacts.models import (
    Evaluation,
    Judgement,
    Jury,
    Observation,
    ReviewBatch,
    ReviewLabel,
    Trial,
    User,
)
from pacts.terms import Clause
from reputation import evidence

CHUNK = 500
READING_SECONDS = 180  # how long people take to read one answer and say what they think
Purpose = ReviewBatch.Purpose


class PanelRefused(ValueError):
    """A clause names a jury that does not exist, or wants more reading than people have time."""


def asking(clauses: Iterable[Clause]) -> list[Clause]:
    """The clauses that a jury or people decide."""
    return [c for c in clauses if c.check in CHECKS and CHECKS[c.check].asks_panel]


def refuse_hurried(clauses: Iterable[Clause], *, tasks: int, seconds: int) -> None:
    """Refuse a window in which people cannot say what they are to be asked.

    Expected labels over every clause, at READING_SECONDS each, shared evenly by the adjudicators
    there are, or as many as one answer needs. `tasks` counts tasks as they are; `seconds` is the
    window. Raises PanelRefused with the arithmetic.
    """
    people = User.objects.filter(is_adjudicator=True, is_active=True).count()
    for clause in asking(clauses):
        share = clause.params.get("review_bps")
        if not isinstance(share, int):
            continue
        drawn = -(-tasks * clause.repeats * share // WHOLE)
        each = reviewers_of(clause)
        readers = max(people, each)  # nobody reads an answer twice
        needed = -(-drawn * each * READING_SECONDS // readers)
        if needed > seconds:
            raise PanelRefused(
                f"“{clause.title}” has people read about {drawn} answers ({share / 100:g} % of "
                f"{tasks * clause.repeats}), {each} label each, {READING_SECONDS} s a label, "
                f"shared by {readers}: {needed} s, and there are {seconds} s until the verdict; "
                "give the evaluation more time, try fewer tasks, or review a smaller share"
            )


def reviewers_of(clause: Clause) -> int:
    """How many people read each answer that is drawn for them."""
    reviewers = clause.params.get("reviewers", 1)
    return reviewers if isinstance(reviewers, int) else 1


def prepare(evaluation: Evaluation, clauses: Iterable[Clause], *, now: datetime) -> None:
    """Commit to every draw of the run, before any answer exists. Raises PanelRefused."""
    for clause in asking(clauses):
        jury = jury_of(clause)
        share = clause.params.get("review_bps")
        if not isinstance(share, int):
            continue
        reviews.open_batch(
            purpose=Purpose.AUDIT if jury else Purpose.SAMPLE,
            evaluation=evaluation,
            clause=clause.key,
            question=str(jury.spec["rubric"] if jury else clause.params["rubric"]),
            probability_bps=share,
            reviewers=reviewers_of(clause),
            jury=jury,
            now=now,
        )


def jury_of(clause: Clause) -> Jury | None:
    """The jury a clause names; None when it names none. Raises PanelRefused."""
    digest = clause.params.get("jury")
    if digest is None:
        return None
    found = Jury.objects.filter(digest=str(digest)).first()
    if found is None:
        raise PanelRefused(f"“{clause.title}” names a jury that is not registered here")
    return found


def ready(evaluation: Evaluation, clauses: Iterable[Clause], *, now: datetime) -> bool:
    """Whether every clause of the run has its observations. Opens what is not open, closes what
    can be closed; the caller holds the evaluation's lock and every trial is in."""
    panel = asking(clauses)
    if not panel:
        return True
    open_to = {clause.key: list(_unanswered(evaluation, clause)) for clause in panel}
    if not any(open_to.values()):
        return True
    if evaluation.rerun_of_id is not None:
        _take_over(evaluation, open_to)
        return True
    over = now > evaluation.deadline_at
    waiting = [
        clause for clause in panel if _summoned(evaluation, clause, open_to[clause.key], now)
    ]
    if waiting and not over:
        return False
    for clause in panel:
        _close(evaluation, clause, open_to[clause.key])
    _log(evaluation, panel, now)
    return True


def _take_over(again: Evaluation, open_to: Mapping[str, Sequence[Trial]]) -> None:
    """Answers that were read once are not read again: what was said of them in the run whose
    answers these are, stands."""
    said = Observation.objects.filter(trial__evaluation=again.rerun_of_id, clause__in=open_to)
    earlier = {(one.trial.position, one.clause): one for one in said.select_related("trial")}
    Observation.objects.bulk_create(
        [
            Observation(
                trial=trial,
                clause=key,
                check_kind=was.check_kind,
                check_version=was.check_version,
                outcome=was.outcome,
                value=was.value,
                reason=was.reason,
            )
            for key, trials in open_to.items()
            for trial in trials
            if (was := earlier.get((trial.position, key))) is not None
        ],
        batch_size=CHUNK,
    )


def _unanswered(evaluation: Evaluation, clause: Clause) -> Iterable[Trial]:
    answered = Observation.objects.filter(trial=OuterRef("pk"), clause=clause.key)
    return (
        Trial.objects.filter(~Exists(answered), evaluation=evaluation)
        .filter(state=Trial.State.DONE, variant="")
        .order_by("position")
    )


def _summoned(
    evaluation: Evaluation, clause: Clause, trials: Sequence[Trial], now: datetime
) -> bool:
    """Call whoever has to speak on these answers; whether somebody still has not."""
    jury = jury_of(clause)
    out = False
    if jury is not None:
        words = Judgement.objects.filter(jury=jury, trial__evaluation=evaluation)
        if not words.exists():
            hearings.summon(jury=jury, trials=[trial.pk for trial in trials], now=now)
        out = words.filter(state__in=hearings.OPEN).exists()
    batch = ReviewBatch.objects.filter(evaluation=evaluation, clause=clause.key).first()
    if batch is not None:
        reviews.draw(batch=batch, trials=trials, now=now)
        out = reviews.waits(batch) or out
    return out


def _close(evaluation: Evaluation, clause: Clause, trials: Sequence[Trial]) -> None:
    """What everybody said, as the clause's observations."""
    jury = jury_of(clause)
    heard = _words(jury, evaluation) if jury else {}
    batch = ReviewBatch.objects.filter(evaluation=evaluation, clause=clause.key).first()
    people = reviews.people_of(batch) if batch else {}
    rows = [
        _observation(trial, clause, answer_of(clause, trial.pk, jury, heard, batch, people))
        for trial in trials
    ]
    Observation.objects.bulk_create(rows, batch_size=CHUNK)


def _words(jury: Jury, evaluation: Evaluation) -> dict[int, list[Said | None]]:
    words = Judgement.objects.filter(jury=jury, trial__evaluation=evaluation)
    return words_by(words, "trial_id")


def words_by(words: "QuerySet[Judgement]", what: str) -> dict[int, list[Said | None]]:
    """By what was judged, each juror's word in the order of the jury; None where one never
    spoke."""
    found: dict[int, list[Said | None]] = {}
    for key, state, said in words.order_by("juror").values_list(what, "state", "said"):
        done = state == Judgement.State.DONE
        found.setdefault(key, []).append(said if done else None)
    return found


def answer_of(
    clause: Clause,
    key: int,
    jury: Jury | None,
    heard: dict[int, list[Said | None]],
    batch: ReviewBatch | None,
    people: dict[int, list[Said]],
) -> Answer:
    """What everybody said of one answer comes to; `heard` and `people` name answers by `key`."""
    check = CHECKS[clause.check]
    words = heard.get(key, [])
    if jury is not None and (not words or None in words):
        broken = error("not every juror could be heard", "platform")
        return Answer(
            outcome=broken.outcome,
            value=None,
            reason=broken.reason,
            fault="platform",
            check=check.kind,
            version=check.version,
        )
    votes = Votes(
        jury=tuple(word for word in words if word is not None),
        people=tuple(people.get(key, ())),
        drawn=key in people,
        probability=batch.probability_bps / WHOLE if batch else 1.0,
    )
    return check.answer(clause.params, Call(votes=votes))


def _observation(trial: Trial, clause: Clause, answer: Answer) -> Observation:
    return Observation(
        trial=trial,
        clause=clause.key,
        check_kind=answer.check,
        check_version=answer.version,
        outcome=answer.outcome,
        value=answer.value,
        reason=answer.reason,
    )


def _log(evaluation: Evaluation, panel: Sequence[Clause], now: datetime) -> None:
    digests = {str(c.params["jury"]) for c in panel if "jury" in c.params}
    words = Judgement.objects.filter(trial__evaluation=evaluation, jury__digest__in=digests)
    spoken: dict[tuple[int, str], set[str]] = {}
    for trial, jury, said in words.values_list("trial_id", "jury_id", "said"):
        spoken.setdefault((trial, jury), set()).add(said)
    labels = ReviewLabel.objects.filter(item__batch__evaluation=evaluation).count()
    evidence.append(
        kind="evaluation.heard",
        subjects={"evaluation": evaluation.id},
        facts={
            "judgements": words.count(),
            "disagreed": sum({"pass", "fail"} <= said for said in spoken.values()),
            "abstained": words.filter(said=Judgement.Said.ABSTAIN).count(),
            "labels": labels,
            "cost_micros": words.aggregate(sum=Sum("cost_micros"))["sum"] or 0,
        },
        at=now,
        dedupe_key=f"evaluation.heard:{evaluation.id}",
    )
