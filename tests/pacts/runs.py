"""A run of bob's doubling agent for alice, and the ways to take it to its end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils.timezone import now as clock

from pacts import evaluation, runner, verdicts
from pacts.models import AgentVersion, Evaluation, Verdict
from tests import cast

RELATED = ("agent_version", "pact_version", "task_set_version", "requested_by")


def run_of(
    version: AgentVersion,
    builder: cast.Actor,
    buyer: cast.Actor,
    *,
    tasks: int = 30,
    terms: dict[str, Any] | None = None,
    **changes: Any,
) -> Evaluation:
    """A trial run by `buyer`, its trials queued."""
    started = evaluation.start_evaluation(
        purpose=Evaluation.Purpose.TRIAL,
        independence=Evaluation.Independence.BUYER,
        requested_by=buyer.party,
        agent_version=version,
        pact_version=cast.pact_of(version, builder, terms),
        task_set_version=cast.golden_set(buyer, cast.doubling_tasks(tasks)),
        deadline_at=clock() + timedelta(days=1),
        now=clock(),
        **changes,
    )
    return Evaluation.objects.select_related(*RELATED).get(pk=started.pk)


def shift(running: Evaluation) -> bool:
    return runner.Runner(running, runner.egress()).run()


def conclude(running: Evaluation) -> Verdict | None:
    return verdicts.conclude(evaluation_id=running.pk, now=clock())


def to_the_end(running: Evaluation) -> Verdict:
    """Shift after shift, as the workers do, until the verdict falls."""
    for _ in range(20):
        shift(running)
        verdict = conclude(running)
        running.refresh_from_db()
        if verdict is not None:
            return verdict
    raise AssertionError("twenty shifts and no verdict")


def states(running: Evaluation) -> dict[str, int]:
    """How many trials are in which state."""
    found: dict[str, int] = {}
    for state in running.trials.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def wrong_from(first: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """An agent that doubles right up to a number, and is wrong from there on."""

    def answer(given: dict[str, Any]) -> dict[str, Any]:
        number = given["number"]
        return {"answer": number * 2 + (number >= first)}

    return answer
