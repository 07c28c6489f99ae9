"""A sample task's input with one adversity done to it. Pure; the same draws give the same bytes."""

import copy
from collections.abc import Iterator

from pacts import probes
from pacts.adversity.suite import Adversity
from pacts.perturb import Draws
from pacts.probes import Attack
from reputation.canonical import JsonValue

Place = tuple[str, ...]
Inputs = dict[str, JsonValue]
LONGEST_PATH = 4


def asked(one: Adversity, input: Inputs, *, draws: Draws) -> tuple[Inputs, Attack | None] | None:
    """What the agent is asked and the attack planted in it; None where the input has no place for
    this adversity (a text where there is none, a number where there is none)."""
    if one.change == "probe":
        return _planted(one, input, draws)
    if one.change == "empty":
        return {}, None
    if one.change == "add":
        assert isinstance(one.value, dict)
        return {**copy.deepcopy(input), **one.value}, None
    if one.change == "deep":
        assert isinstance(one.value, int)
        return {**copy.deepcopy(input), "x_nested": _nested(one.value)}, None
    wanted = (int, float) if one.change == "number" else (str,)
    place = next(_places(input, wanted), None)
    if place is None and one.change in ("drop", "null", "type"):
        place = next(_places(input, (int, float, bool, list)), None)
    return None if place is None else (_changed(one, input, place), None)


def _planted(one: Adversity, input: Inputs, draws: Draws) -> tuple[Inputs, Attack] | None:
    place = next(_places(input, (str,)), None)
    if place is None:
        return None
    attack = probes.prepare(family=str(one.value), draws=draws)
    varied = probes.planted(input, attack, fields=list(input), secret_field=".".join(place))
    assert isinstance(varied, dict)
    return varied, attack


def _nested(levels: int) -> JsonValue:
    inside: JsonValue = "the end"
    for _ in range(levels):
        inside = {"in": inside}
    return inside


def _changed(one: Adversity, input: Inputs, place: Place) -> Inputs:
    changed = copy.deepcopy(input)
    holder = changed
    for key in place[:-1]:
        inner = holder[key]
        assert isinstance(inner, dict)
        holder = inner
    if one.change == "drop":
        del holder[place[-1]]
    else:
        holder[place[-1]] = _value(one, holder[place[-1]])
    return changed


def _value(one: Adversity, before: JsonValue) -> JsonValue:
    if one.change == "null":
        return None
    if one.change == "append":
        return f"{before} {one.value}"
    if one.change == "repeat":
        assert isinstance(one.value, dict)
        text, times = one.value["text"], one.value["times"]
        assert isinstance(times, int)
        return f"{before} {str(text) * times}"
    return one.value


def _places(input: Inputs, kinds: tuple[type, ...]) -> Iterator[Place]:
    """Where values of these kinds are, shallow ones first, the longest text of a level first."""
    level: list[Place] = [()]
    for _ in range(LONGEST_PATH):
        found, deeper = [], []
        for path in level:
            inside = _at(input, path)
            for key, value in inside.items() if isinstance(inside, dict) else ():
                if isinstance(value, dict):
                    deeper.append((*path, key))
                elif isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool)):
                    found.append((*path, key))
        yield from sorted(found, key=lambda path: -len(str(_at(input, path))))
        level = deeper


def _at(input: Inputs, path: Place) -> JsonValue:
    found: JsonValue = input
    for key in path:
        assert isinstance(found, dict)
        found = found[key]
    return found
