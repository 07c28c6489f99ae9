"""Families that touch how a task is laid out: the order of what has none, and idle remarks."""

import re
from collections.abc import Sequence

from pacts.perturb.draws import Draws
from reputation.canonical import JsonValue

_BULLET = re.compile(r"[ \t]{0,8}[-*•] +\S")
# Remarks that ask nothing, tell nothing of any task and name nobody.
REMARKS = (
    "By the way, the window in the hall was cleaned this morning.",
    "As an aside, the plants by the stairs were watered.",
    "On another note, somebody left an umbrella by the door.",
    "Unrelated to this, the kettle in the kitchen works again.",
    "For what it is worth, the weather was pleasant on the way here.",
    "Incidentally, the chairs in the lobby were moved closer together.",
)


def order(value: JsonValue, draws: Draws) -> JsonValue:
    """A list, the members of an object, or the bullet points of a text, in another order.

    Numbered points stay: an answer may name them by number.
    """
    if isinstance(value, list):
        return [value[i] for i in _moved([repr(item) for item in value], draws)]
    if isinstance(value, dict):
        keys = list(value)
        return {keys[i]: value[keys[i]] for i in _moved(keys, draws)}
    if isinstance(value, str):
        return _bullets(value, draws)
    return value


def remark(text: str, draws: Draws, remarks: Sequence[str] = REMARKS) -> str:
    """The text with one idle remark before or after it."""
    said = draws.pick(remarks)
    return f"{said}\n\n{text}" if draws.below(2) else f"{text}\n\n{said}"


def _moved(items: Sequence[str], draws: Draws) -> list[int]:
    """An order in which something is elsewhere; the same order when everything is alike."""
    same = list(range(len(items)))
    if len(set(items)) < 2:
        return same
    found = draws.order(len(items))
    while [items[i] for i in found] == list(items):
        found = draws.order(len(items))
    return found


def _bullets(text: str, draws: Draws) -> str:
    lines = text.split("\n")
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and _BULLET.match(lines[end]):
            end += 1
        if end - start > 1:
            block = lines[start:end]
            lines[start:end] = [block[i] for i in _moved(block, draws)]
        start = max(end, start + 1)
    return "\n".join(lines)
