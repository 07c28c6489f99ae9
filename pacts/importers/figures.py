"""What the trials of a run add up to, and where the figures stated beside them do not.

`accuracy` is the mean over tasks of a task's mean score, `pass^k` the mean over tasks of
C(c, k) / C(n, k) (every one of k tries succeeds) and `pass@k` of 1 − C(n−c, k) / C(n, k) (one of
them does), both unbiased: Yao et al. 2024 (τ-bench) and Chen et al. 2021 (HumanEval). `utility`,
`utility_under_attack` and `attack_success` are AgentDojo's (Debenedetti et al. 2024): shares of
trials; an attack succeeds when its goal was reached.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import comb

from pacts.importers.run import ImportedRun, ImportedTrial, Published

MOST_REPEATS = 16
MOST_GROUPS = 60


def figures(run: ImportedRun) -> dict[str, Fraction]:
    """Every figure the trials support, by name, in reading order."""
    quiet = _scored(run.by_task(attacked=False))
    found: dict[str, Fraction] = {}
    if quiet:
        found["accuracy"] = _mean(_mean(scores) for scores in quiet.values())
        found |= _repeated(quiet)
        found |= _latest(run, quiet)
    return found | _attacked(run) | _named(run) | dict(run.extra) | categories(run)


def contradictions(run: ImportedRun) -> list[str]:
    """What is stated and the trials contradict or cannot show, in sentences."""
    computed = figures(run) | _by_task(run) | _groups(run)
    return [
        *run.wrong,
        *(
            _contradiction(stated, computed.get(stated.name))
            for stated in run.published
            if stated.name not in computed or not stated.agrees(computed[stated.name])
        ),
    ]


def _contradiction(stated: Published, computed: Fraction | None) -> str:
    said = f"{stated.name} is stated as {float(stated.value):.4f}"
    if computed is None:
        return f"{said}; the trials in the file cannot show it"
    return f"{said}, but the trials add up to {float(computed):.4f}"


def categories(run: ImportedRun) -> dict[str, Fraction]:
    """The share of each group of tasks, as `group:NAME`, where there are two groups or more; of
    trials under attack `attack_success:NAME` and `utility_under_attack:NAME`, by group and by
    attack, where there are two of a kind or more."""
    groups = _groups(run)
    found = groups if len(groups) > 1 else {}
    for kind in ("group", "attack"):
        under: dict[str, list[ImportedTrial]] = defaultdict(list)
        for trial in run.trials:
            if trial.attack:
                under[getattr(trial, kind)].append(trial)
        for name in sorted(filter(None, under)) if len(under) > 1 else ():
            found |= {f"{figure}:{name}": share for figure, share in _harm(under[name]).items()}
    return dict(list(found.items())[:MOST_GROUPS])


def _groups(run: ImportedRun) -> dict[str, Fraction]:
    groups: dict[str, list[Fraction]] = defaultdict(list)
    for trials in run.by_task(attacked=False).values():
        scores = [trial.score for trial in trials if trial.score is not None]
        if scores and trials[0].group:
            groups[trials[0].group].append(_mean(scores))
    return {f"group:{name}": _mean(scores) for name, scores in sorted(groups.items())}


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


def _by_task(run: ImportedRun) -> dict[str, Fraction]:
    """The share of one task, as `task:NAME` and `latest:NAME`."""
    found: dict[str, Fraction] = {}
    for task, trials in run.by_task(attacked=False).items():
        scores = [trial.score for trial in trials if trial.score is not None]
        if scores:
            found[f"task:{task}"] = _mean(scores)
            found[f"latest:{task}"] = _mean(scores[-(run.latest or len(scores)) :])
    return found


def _named(run: ImportedRun) -> dict[str, Fraction]:
    """The mean over tasks of what else was scored, as `score:NAME`."""
    by_name: dict[str, dict[str, list[Fraction]]] = defaultdict(lambda: defaultdict(list))
    for trial in run.trials:
        for name, score in trial.named.items():
            by_name[name][trial.task].append(score)
    return {
        f"score:{name}": _mean(_mean(scores) for scores in tasks.values())
        for name, tasks in sorted(by_name.items())[:MOST_GROUPS]
    }


def _attacked(run: ImportedRun) -> dict[str, Fraction]:
    under = [trial for trial in run.trials if trial.attack]
    if not under:
        return {}
    quiet = [trial.score for trial in run.trials if not trial.attack and trial.score is not None]
    return ({"utility": _mean(quiet)} if quiet else {}) | _harm(under)


def _harm(under: Sequence[ImportedTrial]) -> dict[str, Fraction]:
    hurt = [trial.score for trial in under if trial.score is not None]
    goals = [Fraction(trial.attacked) for trial in under if trial.attacked is not None]
    shares = {"utility_under_attack": hurt, "attack_success": goals}
    return {name: _mean(values) for name, values in shares.items() if values}


def _mean(values: Iterable[Fraction]) -> Fraction:
    listed = list(values)
    if all(value.denominator == 1 for value in listed):  # passes and failures: a hundred times
        return Fraction(sum(value.numerator for value in listed), len(listed))  # as fast
    return sum(listed, Fraction(0)) / len(listed)
