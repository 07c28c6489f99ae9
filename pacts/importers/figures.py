"""What the trials of a run add up to, and where the figures stated beside them do not.

`accuracy` is the mean over tasks of a task's mean score, `pass^k` the mean over tasks of
C(c, k) / C(n, k) (every one of k tries succeeds) and `pass@k` of 1 − C(n−c, k) / C(n, k) (one of
them does), both unbiased: Yao et al. 2024 (τ-bench) and Chen et al. 2021 (HumanEval). `utility`,
`utility_under_attack` and `attack_success` are AgentDojo's (Debenedetti et al. 2024): shares of
trials; an attack succeeds when its goal was reached.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb

from pacts.importers.run import ImportedRun, ImportedTrial, Published

MOST_REPEATS = 16


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A stated figure that the trials do not add up to."""

    stated: Published
    computed: Fraction | None

    def __str__(self) -> str:
        said = f"{self.stated.name} is stated as {float(self.stated.value):.4f}"
        if self.computed is None:
            return f"{said}; the trials in the file cannot show it"
        return f"{said}, but the trials add up to {float(self.computed):.4f}"


def figures(run: ImportedRun) -> dict[str, Fraction]:
    """Every figure the trials support, by name, in reading order."""
    quiet = _scored(run.by_task(attacked=False))
    found: dict[str, Fraction] = {}
    if quiet:
        found["accuracy"] = _mean(_mean(scores) for scores in quiet.values())
        found |= _repeated(quiet)
        found |= _latest(run, quiet)
    return found | _attacked(run)


def contradictions(run: ImportedRun) -> list[Contradiction]:
    """The stated figures that the trials contradict or cannot show."""
    computed = figures(run) | _grouped(run)
    return [
        Contradiction(stated, computed.get(stated.name))
        for stated in run.published
        if stated.name not in computed or not stated.agrees(computed[stated.name])
    ]


def counts(run: ImportedRun) -> dict[str, int]:
    """How many tasks, trials, passes, failures and trials without an outcome there are."""
    outcomes = [trial.passed for trial in run.trials]
    return {
        "tasks": len(run.by_task()),
        "trials": len(outcomes),
        "passes": outcomes.count(True),
        "failures": outcomes.count(False),
        "nulls": outcomes.count(None),
    }


def pass_power(passes: int, tries: int, k: int) -> Fraction | None:
    """The unbiased estimate that k tries all succeed; None with fewer than k tries."""
    return Fraction(comb(passes, k), comb(tries, k)) if tries >= k else None


def pass_at(passes: int, tries: int, k: int) -> Fraction | None:
    """The unbiased estimate that one of k tries succeeds; None with fewer than k tries."""
    return 1 - Fraction(comb(tries - passes, k), comb(tries, k)) if tries >= k else None


def _scored(tasks: Mapping[str, Sequence[ImportedTrial]]) -> dict[str, list[Fraction]]:
    found = {
        task: [trial.score for trial in trials if trial.score is not None]
        for task, trials in tasks.items()
    }
    return {task: scores for task, scores in found.items() if scores}


def _repeated(tasks: Mapping[str, Sequence[Fraction]]) -> dict[str, Fraction]:
    """pass^k and pass@k for every k that half the tasks or more were tried as often as.

    Tasks tried less often have no estimate and are left out, never counted as failures.
    """
    tries = sorted((len(scores) for scores in tasks.values()), reverse=True)
    deepest = min(MOST_REPEATS, tries[(len(tries) - 1) // 2])
    if deepest < 2:
        return {}
    pairs = [(sum(score == 1 for score in scores), len(scores)) for scores in tasks.values()]
    found: dict[str, Fraction] = {}
    for name, estimate in (("pass^", pass_power), ("pass@", pass_at)):
        for k in range(1, deepest + 1):
            known = [estimate(passes, tries, k) for passes, tries in pairs]
            found[f"{name}{k}"] = _mean(value for value in known if value is not None)
    return found


def _latest(run: ImportedRun, tasks: Mapping[str, Sequence[Fraction]]) -> dict[str, Fraction]:
    if run.latest is None:
        return {}
    return {f"latest_{run.latest}": _mean(_mean(t[-run.latest :]) for t in tasks.values())}


def _grouped(run: ImportedRun) -> dict[str, Fraction]:
    """The share of one task, as `task:NAME` and `latest:NAME`, and of one group, `group:NAME`."""
    found: dict[str, Fraction] = {}
    groups: dict[str, list[Fraction]] = {}
    for task, trials in run.by_task(attacked=False).items():
        scores = [trial.score for trial in trials if trial.score is not None]
        if not scores:
            continue
        found[f"task:{task}"] = _mean(scores)
        found[f"latest:{task}"] = _mean(scores[-(run.latest or len(scores)) :])
        groups.setdefault(trials[0].group, []).append(_mean(scores))
    return found | {f"group:{name}": _mean(scores) for name, scores in groups.items() if name}


def _attacked(run: ImportedRun) -> dict[str, Fraction]:
    under = [trial for trial in run.trials if trial.attack]
    if not under:
        return {}
    quiet = [trial.score for trial in run.trials if not trial.attack and trial.score is not None]
    hurt = [trial.score for trial in under if trial.score is not None]
    goals = [Fraction(trial.attacked) for trial in under if trial.attacked is not None]
    shares = {"utility": quiet, "utility_under_attack": hurt, "attack_success": goals}
    return {name: _mean(values) for name, values in shares.items() if values}


def _mean(values: Iterable[Fraction]) -> Fraction:
    listed = list(values)
    return sum(listed, Fraction(0)) / len(listed)
