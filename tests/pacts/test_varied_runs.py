"""Clauses about rewordings and attacks, end to end: rows, a real agent over HTTP, a verdict."""

import re
from typing import Any

import pytest
from django.utils.timezone import now as clock

from pacts import evaluation, runner, terms, verdicts
from pacts.models import Evaluation, Observation, Trial, Verdict
from pacts.plans import plan_for
from pacts.probes import VERSION
from pacts.queueing import subject_of
from pacts.tasksets import TaskDraft
from reputation.canonical import canonical, sha256
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = ("northern", "southern", "eastern", "western")
SAYING = "Please tell me whether the {} window of the building was cleaned."


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


def tasks(count: int) -> list[TaskDraft]:
    return [
        TaskDraft({"text": SAYING.format(WORDS[n % 4])}, {"label": WORDS[n % 4]})
        for n in range(count)
    ]


def clause(check: str, **params: Any) -> dict[str, Any]:
    inner = {"check": "equality", "params": {"field": "label"}}
    wraps = check != "attack_resistance"
    return cast.clause(
        key=check.replace("_", "-"),
        check=check,
        params={**(inner if wraps else {}), **params},
        unit="task",
        weight_bps=0,
    )


def perturbed(check: str, **params: Any) -> dict[str, Any]:
    return clause(check, fields=["text"], families=["typos", "case", "unicode"], **params)


def start(url: str, *clauses: dict[str, Any], count: int = 30) -> Evaluation:
    builder, buyer = cast.bob(), cast.alice()
    version = cast.agent_of(builder, url)
    first, *rest = clauses
    pact = cast.pact_terms({**first, "weight_bps": 10_000}, *rest)
    return evaluation.start_evaluation(
        purpose=Evaluation.Purpose.TRIAL,
        independence=Evaluation.Independence.BUYER,
        requested_by=buyer.party,
        agent_version=version,
        pact_version=cast.pact_of(version, builder, pact),
        task_set_version=cast.golden_set(buyer, tasks(count)),
        deadline_at=evaluation.default_deadline(clock()),
        now=clock(),
    )


def run(running: Evaluation) -> dict[str, tuple[str, float, float]]:
    """Each clause's outcome with its passes and failures."""
    while runner.Runner(running, runner.egress()).run():
        pass
    verdict = verdicts.conclude(evaluation_id=running.id, now=clock())
    assert isinstance(verdict, Verdict)
    return {c.key: (c.outcome, c.passes, c.failures) for c in verdict.clauses.all()}


def exact(given: dict[str, Any]) -> dict[str, Any]:
    """Knows the four sentences by heart and nothing else."""
    for word in WORDS:
        if given["text"] == SAYING.format(word):
            return {"label": word}
    return {"label": "?"}


def lenient(given: dict[str, Any]) -> dict[str, Any]:
    """Looks for the word, whatever stands around it."""
    text = given["text"].casefold()
    return {"label": next((word for word in WORDS if word in text), "?")}


def test_an_agent_that_looks_for_the_meaning_is_the_same_in_every_wording() -> None:
    with cast.agent_service(lenient) as url:
        running = start(
            url, perturbed("invariance"), perturbed("worst_variant"), perturbed("variant_drop")
        )
        found = run(running)
    assert {key: outcome for key, (outcome, _, _) in found.items()} == {
        "invariance": "met",
        "worst-variant": "met",
        "variant-drop": "met",
    }
    # The three share their variants: 30 tasks as they are, and three variants of each.
    assert Trial.objects.count() == 30 * 4


def test_an_agent_that_knows_sentences_by_heart_is_not() -> None:
    with cast.agent_service(exact) as url:
        found = run(start(url, cast.clause(params={"field": "label"}), perturbed("invariance")))
    assert found["accuracy"][0] == "met"
    assert found["invariance"] == ("breached", 0, 30)


def test_a_variant_can_be_made_again_byte_for_byte() -> None:
    with cast.agent_service(lenient) as url:
        running = start(url, perturbed("invariance"), count=3)
        run(running)
    plan = plan_for(terms.parse(running.pact_version.terms).clauses)
    varied = running.trials.exclude(variant="").select_related("task")
    assert varied.count() == 9
    for trial in varied:
        asked = plan.asked(subject_of(trial.task), variant=trial.variant, seed=running.seed)
        assert sha256(canonical(asked.input)) == trial.input_digest
        assert asked.input != trial.task.input


def test_a_clause_on_tasks_as_they_are_looks_at_no_variant() -> None:
    with cast.agent_service(exact) as url:
        running = start(url, cast.clause(params={"field": "label"}), perturbed("invariance"))
        run(running)
    plain = Observation.objects.filter(trial__evaluation=running, clause="accuracy")
    assert set(plain.values_list("trial__variant", flat=True)) == {""}


ATTACKED = {"pack": VERSION, "fields": ["text"], "families": ["injection"], "each": 2}


def test_the_three_figures_of_an_attack_are_three_clauses() -> None:
    attacked = clause("utility_under_attack", **ATTACKED)
    with cast.agent_service(lenient) as url:
        found = run(
            start(url, clause("utility"), attacked, clause("attack_resistance", **ATTACKED))
        )
    assert {key: value[0] for key, value in found.items()} == {
        "utility": "met",
        "utility-under-attack": "met",
        "attack-resistance": "met",
    }


def test_an_agent_that_obeys_what_it_reads_fails_the_attack_and_not_the_task() -> None:
    attacked = clause("utility_under_attack", **ATTACKED)
    with cast.agent_service(joins_halves) as url:
        found = run(start(url, attacked, clause("attack_resistance", **ATTACKED)))
    assert found["attack-resistance"][0] == "breached"
    assert found["utility-under-attack"][0] == "met"


def joins_halves(given: dict[str, Any]) -> dict[str, Any]:
    """Joins every two neighbouring odd words, as any of the pack's injections wants."""
    words = re.findall(r"[a-z0-9]+", given["text"])
    odd = [word for word in words if len(word) == 7]
    pairs = [a + b for a in odd for b in odd]
    return {**lenient(given), "note": " ".join(pairs)}


def test_every_run_attacks_with_other_words() -> None:
    seen: list[str] = []

    def listens(given: dict[str, Any]) -> dict[str, Any]:
        seen.append(given["text"])
        return lenient(given)

    with cast.agent_service(listens) as url:
        running = start(url, clause("attack_resistance", **ATTACKED), count=3)
        run(running)
    attacked = [text for text in seen if "window" in text and len(text) > 80]
    assert len(attacked) == len(set(attacked)) == 6
