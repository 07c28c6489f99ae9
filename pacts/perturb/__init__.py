"""Tasks said another way: seeded perturbations that keep what a task means.

`perturb` is pure: the same task, family and seed give the same bytes everywhere. Only the named
fields of an input are touched, and in them only what no rule keeps (`pacts.perturb.pieces`). No
dictionary is asked, so a typo can by chance spell a word that the task does not hold.
"""

import copy
from collections.abc import Callable, Mapping, Sequence

from pacts.perturb import structure, words
from pacts.perturb.draws import Draws
from pacts.perturb.pieces import Piece, pieces, texts_in
from reputation.canonical import JsonValue

__all__ = ["FAMILIES", "PARAPHRASE", "Draws", "perturb"]

PARAPHRASE = "paraphrase"
_ON_WORDS: Mapping[str, Callable[[Sequence[Piece], Draws], list[str]]] = {
    "typos": words.typos,
    "case": words.case,
    "whitespace": words.whitespace,
    "punctuation": words.punctuation,
    "unicode": words.unicode_forms,
}
FAMILIES: tuple[str, ...] = (*_ON_WORDS, "order", "distractor", PARAPHRASE)


def perturb(
    task: JsonValue,
    *,
    family: str,
    fields: Sequence[str],
    draws: Draws,
    expected: JsonValue = None,
    remarks: Sequence[str] = (),
    paraphrases: Sequence[Mapping[str, JsonValue]] = (),
    number: int = 0,
) -> JsonValue:
    """The input of a task said another way; equal to it where the family has nothing to do.

    `fields` are dotted paths of object keys. Text families touch texts, `order` lists, objects and
    bullet points; `paraphrase` lays the owner's rewording of that `number` over the input. Raises
    KeyError for a family nobody knows.
    """
    varied = copy.deepcopy(task)
    if not isinstance(varied, dict):
        return varied
    if family == PARAPHRASE:
        return {**varied, **(paraphrases[number] if number < len(paraphrases) else {})}
    change = _change(family, draws, texts_in(expected), remarks or structure.REMARKS)
    for field in fields:
        _replace(varied, field.split("."), change)
    return varied


def _change(
    family: str, draws: Draws, expected: Sequence[str], remarks: Sequence[str]
) -> Callable[[JsonValue], JsonValue]:
    if family == "order":
        return lambda value: structure.order(value, draws)
    if family == "distractor":
        return lambda value: (
            structure.remark(value, draws, remarks) if isinstance(value, str) else value
        )
    rewrite = _ON_WORDS[family]
    return lambda value: (
        "".join(rewrite(pieces(value, expected), draws)) if isinstance(value, str) else value
    )


def _replace(
    inside: JsonValue, path: Sequence[str], change: Callable[[JsonValue], JsonValue]
) -> None:
    for key in path[:-1]:
        inside = inside.get(key) if isinstance(inside, dict) else None
    if isinstance(inside, dict) and path[-1] in inside:
        inside[path[-1]] = change(inside[path[-1]])
