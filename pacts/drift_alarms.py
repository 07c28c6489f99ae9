"""Detectors of a stream between batches, and the alarms they raise as rows and evidence."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from django.db import transaction

from pacts.calls import subjects_of
from pacts.calls_examined import Found
from pacts.drift import Alarm, Watch
from pacts.live import decided_at_once
from pacts.models import CallStream, DriftAlarm
from pacts.terms import PactTerms
from reputation import evidence
from reputation.canonical import sha256
from reputation.hints import hint

MODEL = "model"
MOST_MODELS = 16  # told apart in one stream; whoever tells of ever new ones is not listened to
WORDS = {
    "outcome": "the rate has fallen below the promise",
    "language": "the languages of the inputs have changed",
    "length": "the lengths of the inputs have changed",
    "shape": "the inputs have another form than before",
    "topic": "the topics of the inputs have changed",
}


class Watched(Protocol):
    """What the detectors read of a call."""

    @property
    def uuid(self) -> bytes: ...
    @property
    def model(self) -> str: ...
    @property
    def model_fingerprint(self) -> str: ...
    @property
    def traits(self) -> Mapping[str, str]: ...
    @property
    def found(self) -> Sequence[Found]: ...


def watch(
    *,
    stream: CallStream,
    parsed: PactTerms,
    calls: Sequence[tuple[int, Watched]],
    weights: Sequence[float],
    now: datetime,
) -> list[DriftAlarm]:
    """Feed every detector of a stream whose row is held; the caller saves the stream."""
    detectors = Watch(_promises(parsed), stream.drift)
    models: list[str] = list(stream.drift.get("models", []))
    raised: list[DriftAlarm] = []
    for (place, call), weight in zip(calls, weights, strict=True):
        raised += _raise(stream, _heard(detectors, call, place, weight), now)
        if changed := _model(stream, call, place, models, now):
            raised.append(changed)
    stream.drift = detectors.to_json() | {"models": models}
    return raised


def _promises(parsed: PactTerms) -> dict[str, tuple[float, float]]:
    return {
        clause.key: (clause.promise, clause.floor)
        for clause in parsed.clauses
        if 0 < clause.floor <= clause.promise < 1 and decided_at_once(clause)
    }


def _heard(detectors: Watch, call: Watched, place: int, weight: float) -> list[Alarm]:
    found = [
        detectors.outcome(one.clause, one.value, weight=weight, place=place)
        for one in call.found
        if one.value is not None and one.outcome in ("pass", "fail")
    ]
    found += [
        detectors.trait(name, category, call_id=call.uuid, place=place)
        for name, category in call.traits.items()
    ]
    return [alarm for alarm in found if alarm is not None]


def _raise(stream: CallStream, alarms: Sequence[Alarm], now: datetime) -> list[DriftAlarm]:
    return [_store(stream, alarm, now) for alarm in alarms]


def _store(stream: CallStream, alarm: Alarm, now: datetime) -> DriftAlarm:
    clause = {"clause": alarm.clause} if alarm.clause else {}
    logged = evidence.append(
        kind="drift.found",
        subjects=subjects_of(stream),
        facts={"what": alarm.what, "level": alarm.level, "place": alarm.place, **clause},
        at=now,
    )
    return _row(stream, alarm, WORDS[alarm.what], logged.pk, now)


def _model(
    stream: CallStream, call: Watched, place: int, models: list[str], now: datetime
) -> DriftAlarm | None:
    """Another model, or another fingerprint of it, than has answered so far; each is told once."""
    before = (stream.model, stream.model_fingerprint)
    after = (call.model or stream.model, call.model_fingerprint or stream.model_fingerprint)
    if before == after:
        return None
    stream.model, stream.model_fingerprint = after
    is_told = _digest(after) in models or len(models) >= MOST_MODELS
    if not is_told:
        models.append(_digest(after))
    if is_told or all(not old or old == new for old, new in zip(before, after, strict=True)):
        return None  # known, or only more of what was known
    return _changed(stream, before, after, place, now)


def _changed(
    stream: CallStream, before: tuple[str, str], after: tuple[str, str], place: int, now: datetime
) -> DriftAlarm:
    logged = evidence.append(
        kind="model.changed",
        subjects=subjects_of(stream),
        facts={"place": place, "independence": stream.independence},
        digests={"before": _digest(before), "after": _digest(after)},
        at=now,
    )
    alarm = Alarm(what=MODEL, clause="", level="act", place=place)
    says = f"another model answers: {' '.join(after).strip()}, before {' '.join(before).strip()}"
    return _row(stream, alarm, says, logged.pk, now)


def _digest(model: tuple[str, str]) -> str:
    return sha256("\n".join(model).encode())


def _row(stream: CallStream, alarm: Alarm, says: str, logged: str, now: datetime) -> DriftAlarm:
    row = DriftAlarm.objects.create(
        stream=stream,
        what=alarm.what,
        clause=alarm.clause,
        level=alarm.level,
        place=alarm.place,
        says=says[:240],
        raised_at=now,
        evidence_id=logged,
    )
    transaction.on_commit(lambda: hint("pacts.drift_found", row.pk))
    return row
