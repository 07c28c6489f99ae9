"""What a tryout shows while it runs and after: agents by clauses, and task by task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from django.db import connection

from marketplace.models import Tryout, TryoutAgent
from marketplace.tryouts.starting import runs_of
from pacts import interim, terms, trials
from pacts.models import Artifact, Evaluation, Observation, Task, Trial, Verdict
from pacts.statistics import ClauseVerdict
from pacts.terms import Clause

State = Literal["unsigned", "unfunded", "running", "concluded", "called_off"]
Said = Literal["right", "wrong", "fault", "nobody", "open", "none"]
SAID: tuple[Said, ...] = ("right", "wrong", "fault", "nobody", "open", "none")
Group = Literal["all", "differ", "fails", "none"]
GROUPS: tuple[Group, ...] = ("all", "differ", "fails", "none")
LONGEST_ANSWER = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One agent of a tryout. `clauses` are live until the verdict, then the verdict's; `outcome` is
    empty before it. Cost in millionths of the run's currency, as the agent reports it."""

    entry: TryoutAgent
    run: Evaluation | None
    state: State
    progress: Mapping[str, int] = field(default_factory=dict)
    promised: Sequence[Clause] = ()
    clauses: Sequence[ClauseVerdict] = ()
    verdict: Verdict | None = None

    @property
    def name(self) -> str:
        return self.entry.listing.agent.name

    @property
    def finished(self) -> int:
        """Trials that are over, whatever became of them."""
        return sum(self.progress.get(name, 0) for name in ("done", "null", "skipped"))

    @property
    def faults(self) -> int:
        """Trials in which the agent did not answer: down, too slow, or no readable answer."""
        return self.progress.get("agent_faults", 0)


def entries_of(made: Tryout) -> list[TryoutAgent]:
    """Its agents in their order, with their listings."""
    return list(made.agents.select_related("listing__agent", "engagement").order_by("position"))


def seats_of(made: Tryout, *, look: bool = True) -> list[Seat]:
    """Every agent with where its run stands; without `look` only the counts, which is cheap."""
    runs = runs_of(made)
    return [_seat(entry, runs.get(entry.position), look) for entry in entries_of(made)]


def _seat(entry: TryoutAgent, run: Evaluation | None, look: bool) -> Seat:
    if run is None:
        unsigned = entry.engagement is not None and entry.engagement.signed_at is None
        return Seat(entry=entry, run=None, state="unsigned" if unsigned else "unfunded")
    verdict = Verdict.objects.filter(evaluation=run).first()
    parsed = terms.parse(run.pact_version.terms)
    called_off = run.state == Evaluation.State.ABANDONED
    return Seat(
        entry=entry,
        run=run,
        state="concluded" if verdict else "called_off" if called_off else "running",
        progress=trials.progress(run),
        promised=parsed.clauses,
        clauses=interim.look(run).clauses if look else (),
        verdict=verdict,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one agent made of one task. `tried` of its trials are in, `wrong` of them failed."""

    said: Said
    tried: int = 0
    wrong: int = 0
    output: str | None = None
    error: str = ""
    reasons: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """One task and what each agent made of it, in the tryout's order."""

    task: Task
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A task by its place, and each agent's word on it; all that a matrix is drawn from."""

    task_id: int
    position: int
    said: tuple[Said, ...]

    @property
    def differs(self) -> bool:
        """Whether two agents that were judged came out differently."""
        judged = {one for one in self.said if one in ("right", "wrong", "fault")}
        return len(judged) > 1

    @property
    def fails(self) -> bool:
        """Whether any agent failed it."""
        return "wrong" in self.said or "fault" in self.said

    @property
    def defeats(self) -> bool:
        """Whether every agent failed it."""
        return bool(self.said) and all(one in ("wrong", "fault") for one in self.said)


def marks_of(made: Tryout, runs: Mapping[int, Evaluation], seats: int) -> list[Marked]:
    """Every task of the set in its order with each agent's word on it."""
    ids = [run.pk for run in runs.values()]
    places = {run.pk: place for place, run in runs.items()}
    words: dict[tuple[int, int], Said] = {}
    with connection.cursor() as cursor:
        cursor.execute(_WORDS, [ids, made.task_set_version_id])
        for task_id, run_id, total, fault, wrong, done, null in cursor.fetchall():
            words[task_id, places[run_id]] = _said(total, fault, wrong, done, null)
    rows = made.task_set_version.tasks.order_by("position").values_list("pk", "position")
    return [
        Marked(
            task_id=task_id,
            position=position,
            said=tuple(words.get((task_id, place), "none") for place in range(seats)),
        )
        for task_id, position in rows
    ]


def groups_of(marked: Sequence[Marked]) -> dict[Group, list[Marked]]:
    """The tasks of each group, in their order: all, where two agents differ, where one fails, and
    where none succeeds."""
    return {
        "all": list(marked),
        "differ": [one for one in marked if one.differs],
        "fails": [one for one in marked if one.fails],
        "none": [one for one in marked if one.defeats],
    }


def _said(total: int, fault: int, wrong: int, done: int, null: int) -> Said:
    if fault:
        return "fault"
    if wrong:
        return "wrong"
    if not done:
        return "nobody" if null else "open" if total else "none"
    return "right"


# A trial counts as wrong where any clause's check failed; what the agent did not answer is a fault.
_WORDS = """
SELECT t.task_id, t.evaluation_id,
       count(*) FILTER (WHERE t.state IN ('queued', 'running')),
       count(*) FILTER (WHERE t.state = 'done' AND t.fault = 'agent'),
       count(*) FILTER (WHERE t.state = 'done' AND t.fault <> 'agent' AND EXISTS (
           SELECT FROM pacts_observation o WHERE o.trial_id = t.id AND o.outcome = 'fail')),
       count(*) FILTER (WHERE t.state = 'done'),
       count(*) FILTER (WHERE t.state = 'null')
  FROM pacts_trial t JOIN pacts_task k ON k.id = t.task_id
 WHERE t.evaluation_id = ANY(%s) AND k.version_id = %s
 GROUP BY t.task_id, t.evaluation_id
"""


def rows_of(marked: Sequence[Marked], runs: Mapping[int, Evaluation], seats: int) -> list[TaskRow]:
    """These tasks with input, expected answer, each agent's own answer and the reasons."""
    tasks = Task.objects.in_bulk([one.task_id for one in marked])
    tried = _tried(list(tasks), runs)
    bodies = _bodies([trial for group in tried.values() for trial in group])
    return [
        TaskRow(
            task=tasks[one.task_id],
            cells=[
                _cell(one.said[place], tried.get((one.task_id, place), []), bodies)
                for place in range(seats)
            ],
        )
        for one in marked
    ]


def _tried(
    task_ids: Sequence[int], runs: Mapping[int, Evaluation]
) -> dict[tuple[int, int], list[Trial]]:
    places = {run.pk: place for place, run in runs.items()}
    rows = (
        Trial.objects.filter(evaluation__in=places, task__in=task_ids)
        .prefetch_related("observations")
        .order_by("variant", "repeat")
    )
    found: dict[tuple[int, int], list[Trial]] = {}
    for trial in rows:
        found.setdefault((trial.task_id, places[trial.evaluation_id]), []).append(trial)
    return found


def _bodies(tried: Sequence[Trial]) -> dict[str, Artifact]:
    return Artifact.objects.in_bulk([one.output_digest for one in tried if one.output_digest])


def _cell(said: Said, tried: Sequence[Trial], bodies: Mapping[str, Artifact]) -> Cell:
    """The first trial that failed, else the first that is in, stands for the task."""
    done = [one for one in tried if one.state == Trial.State.DONE]
    failing = [one for one in done if one.fault == Trial.Fault.AGENT or _failed(one)]
    shown = next(iter(failing or done or tried), None)
    if shown is None:
        return Cell(said=said)
    return Cell(
        said=said,
        tried=len(done),
        wrong=len(failing),
        output=_text(bodies.get(shown.output_digest)),
        error=f"{shown.error_code}: {shown.error_message}".strip(": "),
        reasons=[(one.clause, one.reason) for one in _failed(shown)],
    )


def _failed(trial: Trial) -> list[Observation]:
    return [one for one in trial.observations.all() if one.outcome == "fail"]


def _text(artifact: Any) -> str | None:
    if artifact is None or artifact.body is None:
        return None
    return bytes(artifact.body)[:LONGEST_ANSWER].decode("utf-8", errors="replace")
