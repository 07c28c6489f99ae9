"""The traits of an input that drift is watched by: language, length, shape and topic. Pure."""

import hashlib
from collections.abc import Mapping

import pycld2

from reputation.canonical import JsonValue

LONGEST_READ = 1_000
SHORTEST_TOLD = 20
TOPICS = ("stratum", "topic", "task")
UNKNOWN = "unknown"


def traits_of(*, input: JsonValue, labels: Mapping[str, str]) -> dict[str, str]:
    """The category of each trait. Language as CLD2 tells it (`unknown` for short or unclear
    text), length as a power of two of characters, shape as a digest of names and types, topic as
    the caller labelled it."""
    text = " ".join(_texts(input))
    found = {
        "language": _language(text[:LONGEST_READ]),
        "length": f"2^{len(text).bit_length()}",
        "shape": hashlib.sha256(_shape(input, 4).encode()).hexdigest()[:16],
    }
    topic = next((labels[name] for name in TOPICS if labels.get(name)), None)
    return found if topic is None else {**found, "topic": topic[:64]}


def _texts(value: JsonValue) -> list[str]:
    found: list[str] = []
    waiting = [value]
    while waiting and len(found) < 200:
        item = waiting.pop()
        if isinstance(item, str):
            found.append(item)
        elif isinstance(item, dict):
            waiting += reversed(item.values())
        elif isinstance(item, list):
            waiting += reversed(item)
    return found


def _language(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    if len(printable.strip()) < SHORTEST_TOLD:
        return UNKNOWN
    try:
        reliable, _, found = pycld2.detect(printable, isPlainText=True)
    except pycld2.error:  # text it cannot take
        return UNKNOWN
    return str(found[0][1]) if reliable and found[0][1] != "un" else UNKNOWN


def _shape(value: JsonValue, depth: int) -> str:
    if isinstance(value, dict):
        if not depth:
            return "{}"
        inner = (f"{key}:{_shape(item, depth - 1)}" for key, item in sorted(value.items()))
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + "|".join(sorted({_shape(item, depth - 1) for item in value[:20]})) + "]"
    return type(value).__name__
