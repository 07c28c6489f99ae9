"""A builder's own runs: planned as rows here, made in `rehearsing`, told in `rehearsed`.

They stand beside evaluations and never become one: no evidence is written, no verdict is kept, and
no standing reads them. A hire is judged by runs whose start is in the log; these are not.
"""

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from pacts import adversity, terms
from pacts.checks import CHECKS
from pacts.evaluation import SEED_BITS
from pacts.models import (
    AgentVersion,
    PactVersion,
    Rehearsal,
    RehearsedCase,
    Task,
    TaskSetVersion,
    User,
)
from pacts.plans import plan_for
from pacts.tables import TaskDraft
from pacts.variants import Subject
from reputation.canonical import JsonValue
from reputation.hints import hint

MOST_TASKS = 20
MOST_CALLS = 80
USUAL_CALLS = 20
LONGEST = timedelta(minutes=15)
PING: dict[str, JsonValue] = {"ping": "Are you there?"}
TASK = "pacts.tasks.rehearse"


class RehearsalRefused(ValueError):
    """The run cannot start; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePlan:
    """One call to be made. `expected` is the golden answer; of an attack, what was planted."""

    task: int
    input: JsonValue
    expected: JsonValue = None
    in_scope: bool = True
    key: str = ""
    family: str = ""
    variant: str = ""
    answer: str = ""


def start_ping(
    *,
    agent_version: AgentVersion,
    by: User,
    now: datetime,
    samples: Sequence[TaskDraft] = (),
) -> Rehearsal:
    """One call: of the first sample task, or of a question every agent may decline. Raises
    RehearsalRefused."""
    asked = samples[0].input if samples else PING
    return _start(
        Rehearsal.Kind.PING, agent_version, by, now, cases=[CasePlan(task=0, input=asked)]
    )


def start_dry_run(
    *,
    agent_version: AgentVersion,
    pact_version: PactVersion,
    samples: Sequence[TaskDraft],
    by: User,
    now: datetime,
    calls: int = USUAL_CALLS,
) -> Rehearsal:
    """Hold the agent against a draft on a few sample tasks, with at most so many calls.

    Every task is asked as it is first, then what clauses vary, then repeats. Raises
    RehearsalRefused.
    """
    parsed = _fitting(agent_version, pact_version, samples)
    if not 1 <= calls <= MOST_CALLS:
        raise RehearsalRefused(f"a dry run makes 1 to {MOST_CALLS} calls, not {calls}")
    seed = secrets.randbits(SEED_BITS)
    cases = _dry_cases(parsed, samples, seed)
    return _start(
        Rehearsal.Kind.DRY_RUN,
        agent_version,
        by,
        now,
        cases=cases[:calls],
        left_out=max(0, len(cases) - calls),
        seed=seed,
        **_against(pact_version, parsed),
    )


def start_pasted(
    *,
    agent_version: AgentVersion,
    pact_version: PactVersion,
    samples: Sequence[TaskDraft],
    answers: Sequence[str],
    by: User,
    now: datetime,
) -> Rehearsal:
    """The same on answers that were brought, the n-th to the n-th task: nobody is called, so
    nothing is timed and no task is varied. Raises RehearsalRefused."""
    parsed = _fitting(agent_version, pact_version, samples)
    if len(answers) != len(samples):
        raise RehearsalRefused(
            f"there are {len(samples)} tasks and {len(answers)} answers; bring one answer a line"
        )
    cases = [
        CasePlan(
            task=i, input=one.input, expected=one.expected, in_scope=one.in_scope, answer=answer
        )
        for i, (one, answer) in enumerate(zip(samples, answers, strict=True))
    ]
    return _start(
        Rehearsal.Kind.DRY_RUN,
        agent_version,
        by,
        now,
        cases=cases,
        pasted=True,
        **_against(pact_version, parsed),
    )


def start_adversarial(
    *,
    agent_version: AgentVersion,
    samples: Sequence[TaskDraft],
    by: User,
    now: datetime,
    families: Sequence[str] = (),
) -> Rehearsal:
    """Try the agent with every adversity of the suite that the sample tasks have a place for, or
    with some families of it. Raises RehearsalRefused."""
    if unknown := sorted(set(families) - set(adversity.FAMILIES)):
        raise RehearsalRefused(
            f"“{unknown[0]}” is no family; choose among {', '.join(adversity.FAMILIES)}"
        )
    if not samples:
        raise RehearsalRefused("bring at least one sample task to be varied")
    seed = secrets.randbits(SEED_BITS)
    inputs = [dict(one.input) for one in samples[:MOST_TASKS]]
    planned, without = adversity.plan(inputs, seed=seed, families=families)
    cases = [
        CasePlan(
            task=one.task,
            input=one.input,
            expected=asdict(one.attack) if one.attack else None,
            key=one.one.key,
            family=one.one.family,
        )
        for one in planned
    ]
    return _start(
        Rehearsal.Kind.ADVERSARIAL,
        agent_version,
        by,
        now,
        cases=cases,
        left_out=len(without),
        seed=seed,
        suite=adversity.VERSION,
        digest=adversity.suite_digest(),
    )


def delete_rehearsal(*, rehearsal: Rehearsal) -> None:
    """Delete a run with all it kept: it is the builder's own, and nothing rests on it."""
    rehearsal.delete()


def _fitting(
    agent_version: AgentVersion, pact_version: PactVersion, samples: Sequence[TaskDraft]
) -> terms.PactTerms:
    if pact_version.pact.agent_id != agent_version.agent_id:
        raise RehearsalRefused("this pact belongs to another agent")
    if not samples:
        raise RehearsalRefused("bring at least one sample task")
    if len(samples) > MOST_TASKS:
        raise RehearsalRefused(
            f"a dry run takes at most {MOST_TASKS} tasks, not {len(samples)}; a screening run "
            "takes a whole set"
        )
    parsed = terms.parse(pact_version.terms)
    if unknown := sorted({c.check for c in parsed.clauses} - set(CHECKS)):
        raise RehearsalRefused(f"there is no check called “{unknown[0]}”; the review says more")
    return parsed


def _against(pact_version: PactVersion, parsed: terms.PactTerms) -> dict[str, Any]:
    return {
        "pact_version": pact_version,
        "terms": terms.to_json(parsed),
        "digest": terms.digest(parsed),
    }


def _dry_cases(parsed: terms.PactTerms, samples: Sequence[TaskDraft], seed: int) -> list[CasePlan]:
    plan = plan_for(parsed.clauses)
    plain = [_case(i, one) for i, one in enumerate(samples)]
    varied = [
        _case(i, one, variant, plan.asked(subject, variant=variant, seed=seed).input)
        for i, one in enumerate(samples)
        for subject in [subject_of(i, one)]
        for variant in plan.names(subject, seed=seed)
    ]
    repeats = max(clause.repeats for clause in parsed.clauses) - 1
    return [*plain, *varied, *(plain * repeats)]


def subject_of(place: int, task: TaskDraft) -> Subject:
    """A sample task as its variants depend on it."""
    return Subject(
        position=place, input=task.input, expected=task.expected, paraphrases=task.paraphrases
    )


def _case(
    place: int, task: TaskDraft, variant: str = "", asked: JsonValue | None = None
) -> CasePlan:
    return CasePlan(
        task=place,
        input=task.input if asked is None else asked,
        expected=task.expected,
        in_scope=task.in_scope,
        variant=variant,
    )


def _start(
    kind: Rehearsal.Kind,
    agent_version: AgentVersion,
    by: User,
    now: datetime,
    *,
    cases: Sequence[CasePlan],
    **said: Any,
) -> Rehearsal:
    agent = agent_version.agent
    if not said.get("pasted") and agent.control_proved_at is None:
        raise RehearsalRefused(
            "prove control of the agent's endpoint first: nobody is called before that"
        )
    with transaction.atomic():
        type(agent).objects.select_for_update().get(pk=agent.pk)
        running = Rehearsal.objects.filter(
            agent_version__agent=agent, state=Rehearsal.State.RUNNING, deadline_at__gte=now
        )
        if running.exists():
            raise RehearsalRefused("another run of this agent is under way; wait until it ends")
        rehearsal = Rehearsal.objects.create(
            kind=kind,
            party_id=agent.builder_id,
            started_by=by,
            agent_version=agent_version,
            started_at=now,
            deadline_at=now + LONGEST,
            **{"seed": secrets.randbits(SEED_BITS)} | said,
        )
        RehearsedCase.objects.bulk_create(_rows(rehearsal, cases))
        transaction.on_commit(lambda: hint(TASK, rehearsal.pk))
    return rehearsal


def _rows(rehearsal: Rehearsal, cases: Iterable[CasePlan]) -> list[RehearsedCase]:
    return [
        RehearsedCase(
            rehearsal=rehearsal,
            position=position,
            task=one.task,
            key=one.key,
            family=one.family,
            variant=one.variant,
            input=_text(one.input),
            expected="" if one.expected is None else _text(one.expected),
            in_scope=one.in_scope,
            answer=one.answer,
        )
        for position, one in enumerate(cases)
    ]


def _text(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def rehearsals_of(party_id: str) -> QuerySet[Rehearsal]:
    """A party's runs of its own agents, newest first."""
    rows = Rehearsal.objects.filter(party=party_id, agent_version__agent__builder=party_id)
    return rows.select_related("agent_version__agent", "pact_version").order_by("-id")


def samples_of(version: TaskSetVersion, *, most: int) -> list[TaskDraft]:
    """The first tasks of a set, as samples."""
    return [
        TaskDraft(
            one.input,
            one.expected,
            one.in_scope,
            one.stratum,
            one.session,
            tuple(one.paraphrases),
        )
        for one in Task.objects.filter(version=version).order_by("position")[:most]
    ]
