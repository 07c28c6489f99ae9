"""Claims in: what public leaderboards say of an agent, with what they say about themselves.

A claim is a stated score and no run of ours: screening input. What a source's own numbers
contradict is said; what makes two claims incomparable (other prompts, left-out questions, another
version, a part of the tasks) stands beside each.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import yaml

from pacts.importers.files import Member, members
from pacts.importers.run import RunsMalformed, mapping, number, sequence, text, whole

PARTIES = {"first_party": "builder", "third_party": "third_party", "collaborative": "third_party"}
PASSES = (1, 2, 3, 4)
MOST_YAML = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedClaim:
    """One score as its source states it. `score` is in [0, 1]; `units` are tasks, if stated."""

    source: str
    benchmark: str
    agent: str
    model: str
    score: Fraction
    units: int | None
    ran_by: str
    measured_on: date | None
    method: str
    cost_usd: float | None = None
    comparability: Sequence[str] = ()
    contradictions: Sequence[str] = ()
    key: str = ""  # what the source calls the record, where two may be revisions of one


def read_claims(*, name: str, data: bytes) -> list[StatedClaim]:
    """The claims in a leaderboard's file or archive, by what is in it. Raises RunsMalformed."""
    return claims_in(members(name, data))


def claims_in(files: Sequence[Member]) -> list[StatedClaim]:
    """The claims in files of any leaderboard that is known. Raises RunsMalformed."""
    chosen = [(read, own) for select, read in SOURCES.values() if (own := select(files))]
    taken = {id(member) for _, own in chosen for member in own}
    left = (member.broken() for member in files if id(member) not in taken)
    if broken := next(filter(None, left), ""):
        raise RunsMalformed(broken)
    if not chosen:
        raise RunsMalformed(f"the file looks like none of: {', '.join(SOURCES)}")
    return [claim for read, own in chosen for claim in read(own)]


# --- Every Eval Ever: one record per model and benchmark (schema 0.2) -------------------------


def _every_evals(files: Sequence[Member]) -> list[Member]:
    return _having(files, {"evaluation_id", "evaluation_results"})


def _every_eval(files: Sequence[Member]) -> Iterator[StatedClaim]:
    """The latest revision of each record: `evaluation_id` is the key."""
    latest: dict[str, Mapping[str, Any]] = {}
    for member in files:
        record = mapping(member.json(), member.name)
        key = text(record.get("evaluation_id"))
        if key not in latest or _retrieved(record) >= _retrieved(latest[key]):
            latest[key] = record
    for key, record in sorted(latest.items()):
        for result in sequence(record.get("evaluation_results"), f"{key}: evaluation_results"):
            yield _every_eval_claim(key, record, mapping(result, f"{key}: a result"))


def _every_eval_claim(
    key: str, record: Mapping[str, Any], result: Mapping[str, Any]
) -> StatedClaim:
    source, model = _part(record, "source_metadata"), _part(record, "model_info")
    about, metric = _part(model, "additional_details"), _part(result, "metric_config")
    data = _part(_part(result, "source_data"), "additional_details")
    run = _part(_part(result, "generation_config"), "additional_details")
    units, full = _count(data.get("tasks_evaluated")), _count(data.get("full_benchmark_size"))
    retrieved = _retrieved(record)
    part = f"a part of the tasks: {units} of {full}" if units and full and units < full else ""
    verified = "" if text(run.get("verified")) == "True" else "not verified by the leaderboard"
    return StatedClaim(
        source=text(source.get("source_name")) or "Every Eval Ever",
        benchmark=text(result.get("evaluation_name")),
        agent=text(about.get("agent_scaffold")) or text(model.get("name")),
        model=text(model.get("name")),
        score=_scaled(_part(result, "score_details").get("score"), metric, key),
        units=units,
        ran_by=PARTIES.get(text(source.get("evaluator_relationship")), "builder"),
        measured_on=datetime.fromtimestamp(retrieved, UTC).date() if retrieved else None,
        method=text(metric.get("evaluation_description"), 400),
        cost_usd=_money(run.get("total_cost_usd") or about.get("total_cost_usd")),
        comparability=[note for note in (part, verified) if note],
        key=key,
    )


def _scaled(score: object, metric: Mapping[str, Any], key: str) -> Fraction:
    """The score on [0, 1], one being best, by the bounds the record states, or its unit's."""
    top = 100 if text(metric.get("metric_unit")) in ("percent", "percentage", "%") else 1
    low, high = number(metric.get("min_score", 0)), number(metric.get("max_score", top))
    value = number(score)
    if value is None or low is None or high is None or not low <= value <= high or low == high:
        raise RunsMalformed(f"{key}: the score {score!r} is not within its stated bounds")
    low_, high_ = Fraction(str(low)), Fraction(str(high))
    share = (Fraction(str(value)) - low_) / (high_ - low_)
    return 1 - share if metric.get("lower_is_better") else share


def _retrieved(record: Mapping[str, Any]) -> float:
    stated = text(record.get("retrieved_timestamp"))
    return float(stated) if stated.replace(".", "", 1).isdigit() else 0.0


# --- τ²-bench: one submission per model, pass^1 to pass^4 by domain ---------------------------


def _tau2s(files: Sequence[Member]) -> list[Member]:
    return _having(files, {"model_name", "submission_date", "results"})


def _tau2(files: Sequence[Member]) -> Iterator[StatedClaim]:
    for member in files:
        submission = mapping(member.json(), member.name)
        for domain, result in _part(submission, "results").items():
            passes = number(result.get("pass_1")) if isinstance(result, dict) else None
            if passes is not None and passes > 100:
                raise RunsMalformed(f"{member.name}: pass_1 of {domain} is {passes}, above 100 %")
            if passes is not None:
                yield _tau2_claim(submission, text(domain), result)


def _tau2_claim(
    submission: Mapping[str, Any], domain: str, result: Mapping[str, Any]
) -> StatedClaim:
    how = _part(submission, "methodology")
    checked = _part(how, "verification")
    powers = {k: found for k in PASSES if (found := number(result.get(f"pass_{k}"))) is not None}
    organisation = text(submission.get("model_organization"))
    own = organisation == text(submission.get("submitting_organization"))
    notes = [
        f"{name.replace('_', ' ')}: {_said(checked.get(name))}"
        for name in ("modified_prompts", "omitted_questions")
        if checked.get(name) is not False
    ]
    kind = text(submission.get("submission_type")) or "unstated"
    version = text(how.get("tau2_bench_version")) or "unstated"
    stated = how.get("evaluation_date") or submission.get("submission_date")
    return StatedClaim(
        source="τ²-bench leaderboard",
        benchmark=f"τ²-bench {domain}",
        agent=text(submission.get("model_name")),
        model=text(submission.get("model_name")),
        score=Fraction(str(powers[1])) / 100,
        units=None,
        ran_by="builder" if own else "third_party",
        measured_on=_day(stated) or _day(submission.get("submission_date")),
        method=f"pass^1, version {version}, {kind} submission",
        cost_usd=number(result.get("cost")),
        comparability=[*notes, *([f"{kind} submission"] if kind != "standard" else [])],
        contradictions=_rising(powers),
    )


def _rising(powers: Mapping[int, float]) -> list[str]:
    """pass^k cannot rise with k: that k tries all succeed is rarer than that fewer do."""
    pairs = zip(list(powers), list(powers)[1:], strict=False)
    return [
        f"pass^{more} is {powers[more]:.1f} %, above pass^{fewer} with {powers[fewer]:.1f} %"
        for fewer, more in pairs
        if powers[more] > powers[fewer]
    ]


# --- aider: one entry per model and edit format, in YAML ---------------------------------------


def _aiders(files: Sequence[Member]) -> list[Member]:
    """Texts whose first entry names a folder and, further on, a pass rate."""
    return [m for m in files if m.start()[:2] == "- " and "pass_rate_1:" in m.start()]


def _aider(files: Sequence[Member]) -> Iterator[StatedClaim]:
    for file in files:
        yield from _board(file)


def _board(file: Member) -> Iterator[StatedClaim]:
    """The last pass rate of each entry; a missing task counts as a failure there."""
    if len(file.data) > MOST_YAML:
        raise RunsMalformed(f"{file.name} is larger than a leaderboard")
    try:
        entries = yaml.load(file.data, Loader=_Loader)  # noqa: S506 - safe, and without aliases
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RunsMalformed(f"{file.name} is not YAML: {error}") from error
    board = file.stem.removesuffix("_leaderboard")
    for entry in sequence(entries, file.name):
        yield _aider_claim(board, mapping(entry, "an entry"))


class _Loader(yaml.SafeLoader):
    """Without aliases: ten lines of them unfold to gigabytes."""

    def compose_node(self, parent: Any, index: int) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read; write the values out")
        return super().compose_node(parent, index)


def _aider_claim(board: str, entry: Mapping[str, Any]) -> StatedClaim:
    last = 2 if number(entry.get("pass_rate_2")) is not None else 1
    rate = number(entry.get(f"pass_rate_{last}"))
    if rate is None or rate > 100:
        raise RunsMalformed(f"{text(entry.get('dirname'))}: there is no pass rate")
    units, tried = whole(entry.get("total_tests")), whole(entry.get("test_cases"))
    short = f"{tried} of {units} tasks ran" if units and tried and tried < units else ""
    broken = number(entry.get("percent_cases_well_formed"))
    malformed = f"{100 - broken:.1f} % of answers malformed" if broken is not None else ""
    return StatedClaim(
        source="aider leaderboard",
        benchmark=f"aider {board}",
        agent=f"aider, {text(entry.get('edit_format'))}",
        model=text(entry.get("model")),
        score=Fraction(str(rate)) / 100,
        units=units or tried,
        ran_by="third_party",
        measured_on=_day(entry.get("date")),
        method=f"pass rate {last}, version {text(entry.get('versions'))}",
        cost_usd=number(entry.get("total_cost")),
        comparability=[note for note in (short, malformed) if note and not note.startswith("0.0")],
        contradictions=[
            wrong for k in range(1, last + 1) if (wrong := _off(entry, k, units, tried))
        ],
        key=text(entry.get("dirname")),
    )


def _off(entry: Mapping[str, Any], k: int, units: int | None, tried: int | None) -> str:
    """A pass rate that is not its own count over all tasks, to one decimal."""
    passes, stated = whole(entry.get(f"pass_num_{k}")), number(entry.get(f"pass_rate_{k}"))
    if passes is None or stated is None or not units:
        return ""
    rate = Fraction(str(stated))
    if _rounds(rate, passes, units):
        return ""
    over = f"; it is a share of the {tried} that ran" if _rounds(rate, passes, tried) else ""
    exact = 100 * passes / units
    return f"pass rate {k} is stated as {stated}, but {passes} of {units} are {exact:.1f} %{over}"


def _rounds(rate: Fraction, passes: int, tasks: int | None) -> bool:
    return bool(tasks) and abs(rate - Fraction(100 * passes, tasks or 1)) <= Fraction(1, 20)


def _having(files: Sequence[Member], marks: set[str]) -> list[Member]:
    """The files that are objects with these members."""
    found = ((member, member.first()) for member in files)
    return [member for member, first in found if isinstance(first, dict) and marks <= set(first)]


def _part(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name)
    return found if isinstance(found, dict) else {}


def _count(value: object) -> int | None:
    said = text(value)
    return int(said) if said.isdecimal() else None


def _money(value: object) -> float | None:
    said = text(value)
    return float(said) if said.replace(".", "", 1).isdigit() else None


def _said(value: object) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _day(value: object) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(text(value)[:10])
    except ValueError:
        return None


SOURCES: dict[
    str,
    tuple[
        Callable[[Sequence[Member]], list[Member]],
        Callable[[Sequence[Member]], Iterator[StatedClaim]],
    ],
] = {
    "Every Eval Ever records": (_every_evals, _every_eval),
    "τ²-bench submissions": (_tau2s, _tau2),
    "aider leaderboards": (_aiders, _aider),
}
