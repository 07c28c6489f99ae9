"""A jury of the cast's: registered, heard through a script, held against carol."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.utils.timezone import now as clock

from pacts import evaluation, reviews, runner, verdicts
from pacts.judges import calibrating, hearings
from pacts.judges.prompt import Message
from pacts.judges.providers import Scripted
from pacts.judges.votes import Said
from pacts.models import Evaluation, Jury, PactVersion, ReviewItem, Verdict
from pacts.publishing import draft_pact
from tests import cast

RUBRIC = "The answer doubles the number it was given, and gives nothing else away."
MODEL = "judge-2026-01-01"


def spec(jurors: int = 1, rule: str = "majority", rubric: str = RUBRIC) -> dict[str, Any]:
    seats = [{"provider": "main", "model": f"{MODEL}-{n}"} for n in range(jurors)]
    return {"rubric": rubric, "rule": rule, "jurors": seats}


def jury_of(by: cast.Actor, **changes: Any) -> Jury:
    return calibrating.register_jury(
        name="Doubling", spec=spec(**changes), providers=["main"], by=by.user, now=clock()
    )


def data_in(messages: Sequence[Message]) -> dict[str, Any]:
    """What the juror is given to judge."""
    content = messages[1].content
    found: dict[str, Any] = json.loads(content.removeprefix("<data>").removesuffix("</data>"))
    return found


def verdict_of(said: str, quote: str) -> str:
    return json.dumps({"verdict": said, "quote": quote, "reason": "by the rubric"})


def right(messages: Sequence[Message]) -> str:
    """Pass exactly when the answer is right."""
    data = data_in(messages)
    answer = data["answer"]["answer"]
    return verdict_of("pass" if answer == 2 * data["task"]["number"] else "fail", str(answer))


def scripted(script: Callable[[str, Sequence[Message]], str] | None = None) -> dict[str, Any]:
    return {"main": Scripted(script or (lambda model, messages: right(messages)))}


def judged(jury: Jury, check: str = "judged", **changes: Any) -> dict[str, Any]:
    params = {"jury": jury.digest, "rule": "majority", **changes.pop("params", {})}
    return cast.clause(key="judged", check=check, params=params, unit="task", **changes)


def start(
    url: str,
    builder: cast.Actor,
    buyer: cast.Actor,
    *clauses: dict[str, Any],
    count: int = 30,
    unpublished: bool = False,
) -> Evaluation:
    version = cast.agent_of(builder, url, name=f"Doubler of {builder.user.name}")
    data = cast.pact_terms(*clauses)
    pact: PactVersion = (
        draft_pact(agent=version.agent, data=data)
        if unpublished
        else cast.pact_of(version, builder, data)
    )
    return evaluation.start_evaluation(
        purpose=Evaluation.Purpose.TRIAL,
        independence=Evaluation.Independence.BUYER,
        requested_by=buyer.party,
        agent_version=version,
        pact_version=pact,
        task_set_version=cast.golden_set(buyer, cast.doubling_tasks(count)),
        deadline_at=clock() + timedelta(days=1),
        now=clock(),
    )


def run(running: Evaluation) -> Verdict | None:
    while runner.Runner(running, runner.egress()).run():
        pass
    return verdicts.conclude(evaluation_id=running.id, now=clock())


def hear(providers: dict[str, Any] | None = None) -> set[str]:
    return hearings.hear(providers or scripted())


def conclude(running: Evaluation) -> Verdict | None:
    return verdicts.conclude(evaluation_id=running.id, now=clock())


def label_all(reviewer: cast.Actor, said: Callable[[ReviewItem], Said]) -> int:
    """The reviewer works the queue off; how many answers that were."""
    items = list(reviews.queue_for(reviewer.user))
    for item in items:
        reviews.label(item=item, reviewer=reviewer.user, said=said(item), now=clock())
    return len(items)


def truly(item: ReviewItem) -> Said:
    """What an honest reviewer says."""
    seen = reviews.blinded(item)
    assert isinstance(seen.task, dict)
    assert isinstance(seen.answer, dict)
    number, answer = seen.task["number"], seen.answer["answer"]
    assert isinstance(number, int)
    return "pass" if answer == 2 * number else "fail"
