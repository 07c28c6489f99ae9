"""Jurors are heard one row at a time: claimed under a lease, asked outside any transaction, said
once. A worker that dies loses its lease and nothing else."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from pacts.judges import jury as juries
from pacts.judges.jury import JurySpec
from pacts.judges.prompt import AnswerTooLarge, messages
from pacts.judges.providers import JurorSilent, Provider, Said
from pacts.judges.words import Word, read_word
from pacts.models import Judgement, Jury
from pacts.outputs import Answered, answers_of, answers_of_calls
from reputation.canonical import sha256
from reputation.clock import database_now
from reputation.hints import hint

LEASE = timedelta(seconds=120)
WIDTH = 8
MAX_ATTEMPTS = 3
SHIFT_SECONDS = 20.0
PAUSE = timedelta(seconds=5)
OPEN = (Judgement.State.QUEUED, Judgement.State.RUNNING)
DRIFTED = "model_drifted"


@dataclass(frozen=True, slots=True)
class _Heard:
    """What one attempt came to: a word, or why there is none."""

    judgement: Judgement
    said: Said | None
    word: Word | None
    error_code: str = ""
    reason: str = ""


def summon(*, jury: Jury, trials: Sequence[int], now: datetime) -> None:
    """Queue every juror for every one of these answers; those already there stay."""
    jurors = len(juries.parse(jury.spec).jurors)
    Judgement.objects.bulk_create(
        [
            Judgement(trial_id=trial, jury=jury, juror=juror, due_at=now)
            for trial in trials
            for juror in range(jurors)
        ],
        batch_size=1000,
        ignore_conflicts=True,
    )
    transaction.on_commit(lambda: hint("pacts.tasks.hear_jurors"))


def summon_for_calls(*, jury: Jury, hearings: Sequence[int], now: datetime) -> None:
    """Queue every juror for every one of these production calls."""
    jurors = len(juries.parse(jury.spec).jurors)
    Judgement.objects.bulk_create(
        [
            Judgement(hearing_id=hearing, jury=jury, juror=juror, due_at=now)
            for hearing in hearings
            for juror in range(jurors)
        ],
        batch_size=1000,
    )
    transaction.on_commit(lambda: hint("pacts.tasks.hear_jurors"))


def waiting(*, now: datetime) -> bool:
    """Whether any juror is due."""
    return Judgement.objects.filter(state__in=OPEN, due_at__lte=now).exists()


def hear(
    providers: Mapping[str, Provider], *, clock: Callable[[], float] = time.monotonic
) -> set[str]:
    """One worker's shift: ask until nobody is due. Returns the evaluations and the streams of
    production calls that were heard."""
    started, heard = clock(), set()
    with ThreadPoolExecutor(WIDTH) as pool:
        while clock() - started < SHIFT_SECONDS:
            claimed = _claim(limit=WIDTH)
            if not claimed:
                break
            answered = _answered(claimed)
            found = pool.map(
                lambda one: _ask(one, answered[one.pk], providers),  # noqa: B023
                claimed,
            )
            for each in list(found):
                _record(each, now=database_now())
            heard |= {_of(one) for one in claimed}
    return heard


def _answered(claimed: Sequence[Judgement]) -> dict[int, Answered]:
    """What each of these jurors is to read."""
    trials = answers_of({one.trial_id for one in claimed if one.trial_id is not None})
    calls = answers_of_calls({one.hearing_id for one in claimed if one.hearing_id is not None})
    return {
        one.pk: trials[one.trial_id] if one.trial_id is not None else calls[one.hearing_id or 0]
        for one in claimed
    }


def _of(judgement: Judgement) -> str:
    """The evaluation, or the stream."""
    if judgement.trial is not None:
        return judgement.trial.evaluation_id
    return judgement.hearing.stream_id if judgement.hearing else ""


def _claim(*, limit: int) -> list[Judgement]:
    with transaction.atomic():
        now = database_now()
        due = (
            Judgement.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(state__in=OPEN, due_at__lte=now)
            .order_by("due_at", "id")[:limit]
        )
        ids = [one.pk for one in due]
        Judgement.objects.filter(pk__in=ids).update(
            state=Judgement.State.RUNNING, attempt=F("attempt") + 1, due_at=now + LEASE
        )
    rows = Judgement.objects.filter(pk__in=ids).select_related("jury", "trial", "hearing")
    return list(rows.order_by("id"))


def _ask(judgement: Judgement, answered: Answered, providers: Mapping[str, Provider]) -> _Heard:
    """HTTP only: runs in a thread, and never raises."""
    spec = juries.parse(judgement.jury.spec)
    if answered.output is None:
        return _Heard(judgement, None, None, "answer_erased", "the answer is no longer kept")
    try:
        return _asked(judgement, spec, answered, providers)
    except JurorSilent as silent:
        return _Heard(judgement, None, None, silent.code, str(silent))
    except AnswerTooLarge as problem:
        return _Heard(judgement, None, Word(said="abstain", reason=str(problem)))
    except Exception as problem:  # a thread's exception would take the whole shift with it
        return _Heard(judgement, None, None, "hearing_broke", type(problem).__name__)


def _asked(
    judgement: Judgement, spec: JurySpec, answered: Answered, providers: Mapping[str, Provider]
) -> _Heard:
    juror = spec.jurors[judgement.juror]
    provider = providers.get(juror.provider)
    if provider is None:
        return _Heard(judgement, None, None, "no_provider", f"{juror.provider} is not installed")
    said = provider.ask(
        model=juror.model,
        messages=messages(
            rubric=spec.rubric,
            task=answered.task,
            reference=answered.expected,
            answer=answered.output,
        ),
    )
    if said.model != juror.model:
        return _Heard(judgement, said, None, DRIFTED, f"another model answered: {said.model}")
    return _Heard(judgement, said, read_word(said.text, answer=answered.output))


def _record(heard: _Heard, *, now: datetime) -> None:
    """By compare-and-set: a later attempt's row is not this one's to write."""
    said, word = heard.said, heard.word
    fields: dict[str, object] = {}
    if said is not None:
        fields = {
            "model": said.model,
            "prompt_digest": said.request_digest or sha256(b""),
            "input_tokens": said.input_tokens,
            "output_tokens": said.output_tokens,
            "cost_micros": F("cost_micros") + said.cost_micros,
            "latency_us": None if said.latency_ms is None else round(said.latency_ms * 1000),
        }
    if word is not None:
        fields |= {
            "state": Judgement.State.DONE,
            "said": word.said,
            "quote": word.quote.replace("\x00", " "),
            "reason": word.reason[:200].replace("\x00", " "),
            "finished_at": now,
        }
    else:
        fields |= _silence(heard, now)
    Judgement.objects.filter(
        pk=heard.judgement.pk,
        attempt=heard.judgement.attempt,
        state=Judgement.State.RUNNING,
    ).update(**fields)


def _silence(heard: _Heard, now: datetime) -> dict[str, object]:
    """Asked again after a pause, unless the model is another one or patience is at an end."""
    final = heard.error_code == DRIFTED or heard.judgement.attempt >= MAX_ATTEMPTS
    return {
        "state": Judgement.State.FAILED if final else Judgement.State.QUEUED,
        "error_code": heard.error_code[:40],
        "reason": heard.reason[:200].replace("\x00", " "),
        "due_at": now + PAUSE,
        "finished_at": now if final else None,
    }
