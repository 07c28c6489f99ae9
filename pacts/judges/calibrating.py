"""Juries registered, held against people, and kept from money until they agree with them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from pacts import reviews
from pacts.judges import calibration, hearings
from pacts.judges import jury as juries
from pacts.judges.calibration import Agreement
from pacts.judges.votes import Said, concluded, human_mean
from pacts.lint import Finding
from pacts.models import (
    Calibration,
    Evaluation,
    Judgement,
    Jury,
    ReviewBatch,
    Trial,
    User,
)
from pacts.terms import Clause, PactTerms
from reputation import evidence
from reputation.canonical import JsonValue, digest

STALE_AFTER = timedelta(days=calibration.MOST_DAYS)


class JuryRefused(ValueError):
    """The jury cannot be registered or calibrated; the message says why."""


class JuryExists(JuryRefused):
    """The very same jury is registered already."""


class JuryNotTrusted(PermissionError):
    """A clause would let a jury move money that is not calibrated well enough."""


def register_jury(
    *, name: str, spec: Mapping[str, object], providers: Iterable[str], by: User, now: datetime
) -> Jury:
    """Register a jury under its digest. Raises TermsError, JuryRefused, JuryExists."""
    parsed = juries.parse(spec)
    if not parsed.jurors:
        raise JuryRefused("a jury needs at least one juror")
    if unknown := sorted({juror.provider for juror in parsed.jurors} - set(providers)):
        raise JuryRefused(f"no provider called {unknown[0]} is installed here")
    if len(parsed.rubric.strip()) < 20:
        raise JuryRefused("write a rubric: at least a sentence that people could follow too")
    try:
        with transaction.atomic():
            jury = Jury.objects.create(
                name=name.strip() or "Jury",
                spec=parsed.to_json(),
                digest=parsed.digest,
                created_by=by,
                created_at=now,
            )
            evidence.append(
                kind="jury.registered",
                subjects={"jury": jury.id},
                facts={"jurors": len(parsed.jurors), "rule": parsed.rule},
                digests={"jury": jury.digest},
                at=now,
            )
    except IntegrityError as problem:
        raise JuryExists("this very jury is registered already") from problem
    return jury


def open_calibration(
    *, jury: Jury, evaluation: Evaluation, probability_bps: int, reviewers: int, now: datetime
) -> ReviewBatch:
    """Have a random share of a concluded run's answers read by the jury and by people.

    Decides nothing about that run. Raises JuryRefused.
    """
    if evaluation.state != Evaluation.State.CONCLUDED:
        raise JuryRefused("choose a run that is concluded: its verdict must not wait for this")
    with transaction.atomic():
        batch = reviews.open_batch(
            purpose=ReviewBatch.Purpose.CALIBRATION,
            evaluation=evaluation,
            clause="",
            question=str(jury.spec["rubric"]),
            probability_bps=probability_bps,
            reviewers=reviewers,
            jury=jury,
            now=now,
        )
        answered = Trial.objects.filter(
            evaluation=evaluation,
            state=Trial.State.DONE,
            fault=Trial.Fault.NONE,
            variant="",
        ).order_by("position")
        items = reviews.draw(batch=batch, trials=list(answered), now=now)
        if not items:
            raise JuryRefused("nothing was drawn: choose a larger run or a larger share")
        drawn = [item.trial_id for item in items if item.trial_id is not None]
        hearings.summon(jury=jury, trials=drawn, now=now)
    return batch


def calibrate(*, jury: Jury, now: datetime) -> Calibration:
    """Count the jury's words against people's over every answer both have read, and log it.

    Raises JuryRefused while there is none.
    """
    pairs = pairs_of(jury)
    if not pairs:
        raise JuryRefused("no answer has been decided by people and heard by the whole jury yet")
    counts = counted(pairs.values())
    pairs_digest = digest([[item, *words] for item, words in sorted(pairs.items())])
    facts = {
        "pass_pass": counts.pass_pass,
        "pass_fail": counts.pass_fail,
        "fail_pass": counts.fail_pass,
        "fail_fail": counts.fail_fail,
        "abstained": counts.abstained,
    }
    with transaction.atomic():
        logged = evidence.append(
            kind="jury.calibrated",
            subjects={"jury": jury.id},
            facts={"labels": counts.labels, **facts},
            digests={"jury": jury.digest, "pairs": pairs_digest},
            at=now,
        )
        return Calibration.objects.create(
            jury=jury,
            pairs_digest=pairs_digest,
            calibrated_at=now,
            evidence_id=logged.id,
            **facts,
        )


def pairs_of(jury: Jury) -> dict[str, tuple[Said, Said]]:
    """(the jury's word, people's) by review item: answers the whole jury spoke on and people
    decided one way."""
    spec = juries.parse(jury.spec)
    words: dict[int, list[Said]] = {}
    done = Judgement.objects.filter(jury=jury, state=Judgement.State.DONE, trial__isnull=False)
    heard = done.order_by("juror")
    for trial, said in heard.values_list("trial_id", "said"):
        words.setdefault(trial, []).append(said)  # type: ignore[arg-type]
    found: dict[str, tuple[Said, Said]] = {}
    for batch in ReviewBatch.objects.filter(jury=jury, evaluation__isnull=False):
        people = reviews.people_of(batch)
        for item, trial in batch.items.values_list("id", "trial_id"):
            mean = human_mean(people[trial])
            whole = len(words.get(trial, ())) == len(spec.jurors)
            if whole and mean is not None and mean != 0.5:
                jury_said = concluded(words[trial], spec.rule)
                found[item] = (jury_said, "pass" if mean > 0.5 else "fail")
    return found


def counted(pairs: Iterable[tuple[Said, Said]]) -> Agreement:
    """The pairs as counts."""
    found = list(pairs)

    def times(*pair: Said) -> int:
        return found.count((pair[0], pair[1]))

    return Agreement(
        pass_pass=times("pass", "pass"),
        pass_fail=times("pass", "fail"),
        fail_pass=times("fail", "pass"),
        fail_fail=times("fail", "fail"),
        abstained=sum(jury_said == "abstain" for jury_said, _ in found),
    )


def agreement_of(row: Calibration) -> Agreement:
    """A stored calibration's counts."""
    return Agreement(
        pass_pass=row.pass_pass,
        pass_fail=row.pass_fail,
        fail_pass=row.fail_pass,
        fail_fail=row.fail_fail,
        abstained=row.abstained,
    )


def distrust(clause: Clause, *, now: datetime) -> str | None:
    """Why this clause's jury may not decide about money now; None where it may, or none is asked.

    A jury that people audit in every run (`judged_anchored`) needs no calibration: its error is
    corrected, whatever it is.
    """
    if "jury" not in clause.params or clause.check not in ("judged", "judged_anchored"):
        return None
    jury = Jury.objects.filter(digest=str(clause.params["jury"])).first()
    if jury is None:
        return "this jury is not registered here"
    if clause.check == "judged_anchored":
        return None
    latest = jury.calibrations.order_by("-calibrated_at").first()
    if latest is None:
        return f"the jury “{jury.name}” was never calibrated against people"
    stale = staleness(jury, latest, now=now)
    if stale:
        return stale
    return calibration.refusal(agreement_of(latest), promise=clause.promise, floor=clause.floor)


def staleness(jury: Jury, latest: Calibration, *, now: datetime) -> str | None:
    """Why a calibration no longer speaks of the jury as it is."""
    if now - latest.calibrated_at > STALE_AFTER:
        return f"the jury's calibration is older than {calibration.MOST_DAYS} days"
    drifted = jury.judgements.filter(
        error_code=hearings.DRIFTED, finished_at__gt=latest.calibrated_at
    )
    if drifted.exists():
        return "a provider answered with another model since the jury was calibrated"
    expected = juries.parse(jury.spec).digest
    return None if expected == jury.digest else "the prompt has changed since it was calibrated"


def findings(terms: PactTerms, *, now: datetime) -> list[Finding]:
    """What keeps a pact from being published because of its juries, in the linter's form."""
    found = []
    for i, clause in enumerate(terms.clauses):
        problem = distrust(clause, now=now)
        if problem:
            found.append(
                Finding(
                    code="jury_not_trusted",
                    path=f"$.clauses[{i}].params.jury",
                    severity="error",
                    message=f"“{clause.title}”: {problem}",
                    remedy="calibrate the jury on more labels, widen the distance between promise "
                    "and floor, or let people audit it with judged_anchored",
                )
            )
    return found


def refuse_distrusted(terms: PactTerms, *, now: datetime) -> None:
    """Raises JuryNotTrusted, with the arithmetic, before money is set aside under these terms."""
    for finding in findings(terms, now=now):
        raise JuryNotTrusted(f"{finding.message}; {finding.remedy}")


def figures_json(counts: Agreement) -> dict[str, JsonValue]:
    """What a calibration says, for programs: rates with their confidence sequences."""
    found = calibration.figures(counts)
    return {
        "labels": counts.labels,
        "sensitivity": [found.sensitivity.point, found.sensitivity.low, found.sensitivity.high],
        "specificity": [found.specificity.point, found.specificity.low, found.specificity.high],
        "abstained": found.abstained,
    }
