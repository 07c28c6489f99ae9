"""How often people and judges agree, from a file of labels: who said what of which item. Pure.

A table in one of two shapes, comma- or tab-separated, with a header:

- long: `item, rater, kind, label` (other names of these columns are known too);
- wide: one row per item and one column per rater, whose name says what the rater is: `oracle…`,
  `expert…` or `judge…`.

`oracle` is what counts as the truth; where a file has none, the experts' majority does. A label is
pass or fail, in any usual spelling; everything else that is not empty is an abstention.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from pacts.judges import calibration
from pacts.judges.calibration import Agreement
from pacts.judges.votes import Said

RaterKind = Literal["oracle", "expert", "judge"]

MOST_ROWS, MOST_RATERS, LONGEST_NAME = 200_000, 60, 80
PANEL = "all judges, by majority"
PEOPLE = "experts, by majority"
_COLUMNS: Mapping[str, frozenset[str]] = {
    "item": frozenset({"item", "item_id", "id", "task", "task_id", "question", "example", "trial"}),
    "rater": frozenset({"rater", "rater_id", "annotator", "judge", "who", "name", "model"}),
    "kind": frozenset({"kind", "rater_kind", "role", "type"}),
    "label": frozenset({"label", "verdict", "said", "answer", "rating", "value", "decision"}),
}
_KINDS: Mapping[RaterKind, tuple[str, ...]] = {
    "oracle": ("oracle", "gold", "truth", "ground", "reference", "correct"),
    "expert": ("expert", "human", "annotator", "person", "reviewer", "people"),
    "judge": ("judge", "juror", "jury", "model", "llm", "panel", "grader"),
}
_PASS = frozenset({"pass", "passed", "yes", "true", "1", "1.0", "correct", "good", "met", "accept"})
_FAIL = frozenset(
    {"fail", "failed", "no", "false", "0", "0.0", "incorrect", "wrong", "bad", "breached", "reject"}
)
# Promise and floor of a clause, as people write them, with the narrowest last.
DISTANCES = ((0.9, 0.6), (0.9, 0.7), (0.9, 0.8), (0.95, 0.9))


class AgreementUnreadable(ValueError):
    """The file is no table of labels; the message says what is missing, and where."""


@dataclass(frozen=True, slots=True)
class Rater:
    """One column of opinions: who, and as what."""

    name: str
    kind: RaterKind


Labels = Mapping[Rater, Mapping[str, Said]]


def read(text: str) -> Labels:
    """The labels of a file, by rater and item. Raises AgreementUnreadable."""
    first = text.partition("\n")[0]
    delimiter = "\t" if first.count("\t") > first.count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter))
    except csv.Error as problem:
        raise AgreementUnreadable(f"this is no table: {problem}") from None
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        raise AgreementUnreadable("there is no row of labels under a header")
    if len(rows) > MOST_ROWS:
        raise AgreementUnreadable(f"at most {MOST_ROWS} rows; this has {len(rows)}")
    header = [cell.strip().lower() for cell in rows[0]]
    long = _long_columns(header)
    labels = _long(rows, long) if long else _wide(rows, header)
    _refuse_useless(labels)
    return labels


def _long_columns(header: Sequence[str]) -> dict[str, int] | None:
    places = {
        name: next((i for i, cell in enumerate(header) if cell in known), -1)
        for name, known in _COLUMNS.items()
    }
    return places if min(places.values()) >= 0 else None


def _long(rows: Sequence[Sequence[str]], places: Mapping[str, int]) -> Labels:
    found: dict[Rater, dict[str, Said]] = defaultdict(dict)
    for number, row in enumerate(rows[1:], start=2):
        cells = {name: _cell(row, place) for name, place in places.items()}
        kind = _kind_of(cells["kind"])
        if kind is None:
            raise AgreementUnreadable(
                f"row {number}: a rater is an oracle, an expert or a judge, not "
                f"“{cells['kind'][:40]}”"
            )
        rater = Rater(cells["rater"][:LONGEST_NAME] or kind, kind)
        _note(found[rater], cells["item"], cells["label"], number)
    return found


def _wide(rows: Sequence[Sequence[str]], header: Sequence[str]) -> Labels:
    item = next((i for i, cell in enumerate(header) if cell in _COLUMNS["item"]), 0)
    raters = {
        place: Rater(rows[0][place].strip()[:LONGEST_NAME], kind)
        for place, cell in enumerate(header)
        if place != item and (kind := _kind_of(cell))
    }
    if len(set(raters.values())) < len(raters):
        raise AgreementUnreadable("two columns have the same name")
    found: dict[Rater, dict[str, Said]] = {rater: {} for rater in raters.values()}
    for number, row in enumerate(rows[1:], start=2):
        for place, rater in raters.items():
            if said := _cell(row, place):
                _note(found[rater], _cell(row, item), said, number)
    return found


def _cell(row: Sequence[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _kind_of(name: str) -> RaterKind | None:
    lowered = name.lower()
    return next(
        (kind for kind, words in _KINDS.items() if any(word in lowered for word in words)), None
    )


def _note(into: dict[str, Said], item: str, said: str, number: int) -> None:
    if not item:
        raise AgreementUnreadable(f"row {number}: there is no item")
    if item in into:
        raise AgreementUnreadable(f"row {number}: the same rater labelled {item[:40]!r} before")
    lowered = said.lower()
    into[item] = "pass" if lowered in _PASS else "fail" if lowered in _FAIL else "abstain"


def _refuse_useless(labels: Labels) -> None:
    if len(labels) > MOST_RATERS:
        raise AgreementUnreadable(f"at most {MOST_RATERS} raters; this has {len(labels)}")
    people = [rater for rater in labels if rater.kind != "judge"]
    if not people or len(labels) < 2:
        raise AgreementUnreadable(
            "there is nobody to compare: name columns item, rater, kind and label, or one column "
            "for each rater (oracle…, expert…, judge…), with an oracle or experts among them"
        )
    if not any(said != "abstain" for words in labels.values() for said in words.values()):
        raise AgreementUnreadable("no label is a pass or a fail (1, true and yes are passes)")


def majority(raters: Iterable[Mapping[str, Said]]) -> dict[str, Said]:
    """What more than half of all who labelled an item said of it; else an abstention."""
    votes: dict[str, Counter[Said]] = defaultdict(Counter)
    for words in raters:
        for item, said in words.items():
            votes[item][said] += 1
    found: dict[str, Said] = {}
    for item, counted in votes.items():
        said, most = counted.most_common(1)[0]
        found[item] = said if 2 * most > counted.total() else "abstain"
    return found


def counts(judge: Mapping[str, Said], truth: Mapping[str, Said]) -> Agreement:
    """(The judge's word, the truth) over the items that the truth decides."""
    pairs = Counter(
        (said, truth[item])
        for item, said in judge.items()
        if truth.get(item, "abstain") != "abstain"
    )
    return Agreement(
        pass_pass=pairs["pass", "pass"],
        pass_fail=pairs["pass", "fail"],
        fail_pass=pairs["fail", "pass"],
        fail_fail=pairs["fail", "fail"],
        abstained=sum(n for (said, _), n in pairs.items() if said == "abstain"),
    )


def report(labels: Labels) -> dict[str, Any]:
    """Everything the file says, as JSON: `truth`, `people` (pairs) and `judges` (against it)."""
    of_kind = {
        kind: {rater.name: words for rater, words in labels.items() if rater.kind == kind}
        for kind in _KINDS
    }
    oracle = majority(of_kind["oracle"].values())
    experts, judges = of_kind["expert"], dict(of_kind["judge"])
    truth = oracle or majority(experts.values())
    if len(judges) > 1:
        judges[PANEL] = majority(judges.values())
    against = [_held(name, words, truth) for name, words in judges.items()]
    if oracle and experts:
        against += [_held(name, words, truth) for name, words in experts.items()]
        if len(experts) > 1:
            against.append(_held(PEOPLE, majority(experts.values()), truth))
    return {
        "items": len({item for words in labels.values() for item in words}),
        "truth": "oracle" if oracle else "experts",
        "raters": {kind: len(of_kind[kind]) for kind in _KINDS},
        "people": _pairs(experts),
        "judges": against,
    }


def _pairs(experts: Mapping[str, Mapping[str, Said]]) -> list[dict[str, Any]]:
    """Every two experts over the items both decided."""
    found = []
    for (one, first), (other, second) in combinations(experts.items(), 2):
        both = [
            (said, second[item])
            for item, said in first.items()
            if said != "abstain" and second.get(item, "abstain") != "abstain"
        ]
        agreed = sum(a == b for a, b in both)
        found.append(
            {
                "raters": [one, other],
                "items": len(both),
                "agreed": agreed,
                "agreed_bps": 10_000 * agreed // len(both) if both else None,
                "kappa": _rounded(calibration.cohens_kappa(both)),
            }
        )
    return found


def _held(name: str, words: Mapping[str, Said], truth: Mapping[str, Said]) -> dict[str, Any]:
    counted = counts(words, truth)
    found = calibration.figures(counted)
    decided = counted.labels - counted.abstained
    agreed = counted.pass_pass + counted.fail_fail
    return {
        "name": name,
        "labels": counted.labels,
        "abstained": counted.abstained,
        "pass_pass": counted.pass_pass,
        "wrong_passes": counted.pass_fail,
        "wrong_fails": counted.fail_pass,
        "fail_fail": counted.fail_fail,
        "agreed_bps": 10_000 * agreed // decided if decided else None,
        "kappa": _rounded(calibration.cohens_kappa(_as_pairs(counted))),
        "sensitivity": _rate(found.sensitivity),
        "specificity": _rate(found.specificity),
        "lenient": counted.pass_fail > counted.fail_pass,
        "money": [_money(counted, promise, floor) for promise, floor in DISTANCES],
    }


def _as_pairs(counted: Agreement) -> list[tuple[Said, Said]]:
    times: dict[tuple[Said, Said], int] = {
        ("pass", "pass"): counted.pass_pass,
        ("pass", "fail"): counted.pass_fail,
        ("fail", "pass"): counted.fail_pass,
        ("fail", "fail"): counted.fail_fail,
    }
    return [pair for pair, count in times.items() for _ in range(count)]


def _money(counted: Agreement, promise: float, floor: float) -> dict[str, Any]:
    """Whether this judge could decide a clause with this promise and floor; `refusal` says why."""
    refusal = calibration.refusal(counted, promise=promise, floor=floor)
    bias = calibration.figures(counted).bias(floor)
    return {
        "promise_bps": round(promise * 10_000),
        "floor_bps": round(floor * 10_000),
        "bias_at_floor_bps": None if bias is None else round(bias * 10_000),
        "refusal": refusal or "",
    }


def _rate(rate: calibration.Rate) -> list[float | None]:
    return [_rounded(rate.point), _rounded(rate.low), _rounded(rate.high)]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
