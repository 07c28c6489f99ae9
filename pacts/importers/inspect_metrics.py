"""What inspect_ai computes of its samples, computed again: values, reducers and metrics.

A value becomes a number by `value_to_float`; a sample's epochs become one value by a reducer (the
mean unless the log names another); metrics are taken over samples. The formulas are those of
inspect_ai's documentation ("Scorers": reducing epochs, built-in metrics): `stderr` is the sample's
standard deviation over the root of n, `std` and `var` divide by n - 1. What is none of these (a
metric somebody wrote, a bootstrap, clusters) is named in a note and not judged.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import comb, isfinite, sqrt
from statistics import fmean, median, stdev, variance
from typing import Any, Self

from pacts.importers.run import Published, text

PLACES = 9
LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Sampled:
    """One sample in one epoch: each scorer's value, and the sample's metadata."""

    task: str
    repeat: int
    values: Mapping[str, Any]
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stated:
    """One metric as the log states it; `group` names the group it was taken over."""

    metric: str
    label: str
    value: float
    group: str = ""
    clustered: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """One entry of a log's results: a scorer (or one of its values) under one reducer."""

    name: str
    scorer: str
    reducer: str
    first: bool
    stated: Sequence[Stated] = ()
    group_key: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any], *, first: bool) -> Self:
        """From an entry of `results.scores`."""
        metrics = given.get("metrics")
        listed = metrics if isinstance(metrics, dict) else {}
        read = [
            (_stated(text(name), metric), _group_key(metric))
            for name, metric in listed.items()
            if isinstance(metric, dict)
        ]
        name = text(given.get("name"))
        return cls(
            name=name,
            scorer=text(given.get("scorer")) or name,
            reducer=text(given.get("reducer")) or "mean",
            first=first,
            stated=[one for one, _ in read if one is not None],
            group_key=next((key for _, key in read if key), ""),
        )

    def raw(self, sample: Sampled) -> Any:
        """The value as the log has it; a scorer's several values are told apart by name."""
        found = sample.values.get(self.name, sample.values.get(self.scorer))
        if found is None and len(sample.values) == 1 and "" in sample.values:
            found = sample.values[""]  # version 1 had one score and no name for it
        return found.get(self.name) if isinstance(found, dict) else found

    def value(self, sample: Sampled) -> float | None:
        """The value as a number, or None where there is none."""
        return value_of(self.raw(sample))


@dataclass(slots=True)
class Verified:
    """What was stated, and the same computed again, under the same names."""

    published: list[Published] = field(default_factory=list)
    extra: dict[str, Fraction] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def value_of(raw: object) -> float | None:
    """A score as a number: letters, words, numbers. None for what inspect_ai calls unscored."""
    if isinstance(raw, str):
        known = LETTERS.get(raw, WORDS.get(raw.lower()))
        return known if known is not None else _float(raw)
    if isinstance(raw, bool | int | float):
        return float(raw) if isfinite(raw) else None
    return None


def _float(raw: str) -> float | None:
    try:
        found = float(raw) if len(raw) <= 40 else None
    except ValueError:
        return None
    return found if found is not None and isfinite(found) else None


def verified(samples: Sequence[Sampled], scored: Sequence[Scored]) -> Verified:
    """Every stated metric that can be computed again, and a note on those that cannot."""
    found, left = Verified(), []
    for one in scored:
        reduced = _reduced(samples, one)
        bounded = all(0 <= value <= 1 for value, _, _ in (reduced or {}).values())
        if not bounded and one.first:
            found.notes.append(f"{one.name} scores beyond 0 to 1: such a score is no outcome")
        for stated in one.stated:
            values = _values_of(stated, reduced) if reduced is not None else None
            computed = _metric(stated, values) if values else None
            name = _name(one, stated, plain=one.first and one.reducer == "mean" and bounded)
            if computed is None:
                left.append(name)
                continue
            found.published.append(Published(name, Fraction(str(stated.value)), PLACES))
            if name != "accuracy" and not name.startswith("group:"):
                found.extra[name] = Fraction(str(computed))
    if left:
        more = f" and {len(left) - MOST_NAMED} more" if len(left) > MOST_NAMED else ""
        found.notes.append(f"stated and not computed again: {', '.join(left[:MOST_NAMED])}{more}")
    return found


def _stated(label: str, metric: Mapping[str, Any]) -> Stated | None:
    value = metric.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    told = metric.get("params") or metric.get("options")
    params = told if isinstance(told, dict) else {}
    inner = params.get("metric")
    name = text(metric.get("name")) or label
    if _group_key(metric):
        name = text(inner.get("name")) if isinstance(inner, dict) else "accuracy"
        return Stated(name, label, value, group=label)
    return Stated(name if name in METRICS else label, label, value, clustered="cluster" in params)


def _group_key(metric: Mapping[str, Any]) -> str:
    told = metric.get("params") or metric.get("options")
    return text(told.get("group_key")) if isinstance(told, dict) else ""


def _name(one: Scored, stated: Stated, *, plain: bool) -> str:
    """`accuracy` and `stderr` are the first scorer's, by means of epochs; others say whose."""
    metric = "accuracy" if stated.metric == "mean" and plain else stated.metric
    if stated.group:
        of_all = stated.group == "all"
        if plain and metric == "accuracy":
            return "accuracy" if of_all else f"group:{stated.group}"
        return f"{metric} of {one.name}, {stated.group}"
    if plain:
        return metric
    return f"{metric} of {one.name}" + (f", {one.reducer}" if one.reducer != "mean" else "")


def _values_of(
    stated: Stated, reduced: Mapping[str, tuple[float, Mapping[str, Any], str]]
) -> list[float]:
    if not stated.group or stated.group == "all":
        return [value for value, _, _ in reduced.values()]
    return [value for value, _, group in reduced.values() if group == stated.group]


def _reduced(
    samples: Sequence[Sampled], one: Scored
) -> dict[str, tuple[float, Mapping[str, Any], str]] | None:
    """A value for each task, its metadata and its group; None where the reducer is not known."""
    reduce = _reducer(one.reducer)
    if reduce is None:
        return None
    raws: dict[str, list[Any]] = defaultdict(list)
    about: dict[str, Mapping[str, Any]] = {}
    for sample in sorted(samples, key=lambda sample: sample.repeat):
        if one.value(sample) is not None:
            raws[sample.task].append(one.raw(sample))
            about[sample.task] = sample.about
    values = {task: reduce(listed) for task, listed in raws.items()}
    return {
        task: (value, about[task], text(about[task].get(one.group_key)))
        for task, value in values.items()
        if value is not None
    }


_Reducer = Callable[[Sequence[Any]], float | None]


def _reducer(name: str) -> _Reducer | None:
    """By inspect_ai's name of it, with its k behind: `pass_at_2`."""
    if name in SIMPLE:
        return SIMPLE[name]
    kind, _, last = name.rpartition("_")
    if kind not in COUNTING or not last.isdecimal() or not 0 < int(last[:6]) <= 10_000:
        return None
    counting, k = COUNTING[kind], int(last)

    def reduce(raws: Sequence[Any]) -> float | None:
        passes = sum(value >= 1 for value in _numbers(raws))
        return counting(passes, len(raws), k)

    return reduce


def _numbers(raws: Sequence[Any]) -> list[float]:
    return [value for raw in raws if (value := value_of(raw)) is not None]


def _mode(raws: Sequence[Any]) -> float | None:
    return value_of(Counter(raws).most_common(1)[0][0])


def _at_least(passes: int, tries: int, k: int) -> float | None:
    return float(passes >= k)


def _pass_at(passes: int, tries: int, k: int) -> float | None:
    return 1 - comb(tries - passes, k) / comb(tries, k) if tries >= k else None


def _pass_k(passes: int, tries: int, k: int) -> float | None:
    return comb(passes, k) / comb(tries, k) if tries >= k else None


SIMPLE: dict[str, _Reducer] = {
    "mean": lambda raws: fmean(_numbers(raws)),
    "median": lambda raws: median(_numbers(raws)),
    "max": lambda raws: max(_numbers(raws)),
    "mode": _mode,
}
COUNTING: dict[str, Callable[[int, int, int], float | None]] = {
    "at_least": _at_least,
    "pass_at": _pass_at,
    "pass_k": _pass_k,
}


def _stderr(values: Sequence[float]) -> float:
    return stdev(values) / sqrt(len(values)) if len(values) > 1 else 0.0


METRICS: dict[str, Callable[[Sequence[float]], float]] = {
    "accuracy": fmean,
    "mean": fmean,
    "stderr": _stderr,
    "std": lambda values: stdev(values) if len(values) > 1 else 0.0,
    "var": lambda values: variance(values) if len(values) > 1 else 0.0,
}


def _metric(stated: Stated, values: Sequence[float]) -> float | None:
    metric = METRICS.get(stated.metric)
    return None if metric is None or stated.clustered else metric(values)
