"""Quantities in strangers' text: a number and a unit, read by a grammar and never evaluated.

    quantity := [+-] digits [. digits] [e [+-] digits] [unit]
    unit     := factor (("*" | "/" | "·" | " ") factor)*     at most six
    factor   := name ["^" or "**" exponent]                   exponent from -9 to 9

Names are looked up one by one in pint's registry of units (NIST SP 811, CODATA), prefixes included;
pint's own parser, which works out any expression, sees a name and nothing else. A number has at
most 30 digits on either side of its point and an exponent of at most two digits.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reputation.canonical import JsonValue

if TYPE_CHECKING:
    from pint import UnitRegistry

LONGEST = 120
MOST_FACTORS = 6

# Our own patterns with bounded repeats: linear in a text that is bounded as well.
_NUMBER = re.compile(
    r"\s{0,4}([+\-−]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?)"
)
_FACTOR = re.compile(
    r"(?P<join>\s?[*/·]\s?|\s|)(?P<name>[^\W\d_][^\W\d]{0,30}|[°%‰$€£µΩ][^\W\d]{0,10})"
    r"(?:(?:\*\*|\^)(?P<power>[+-]?[1-9])(?![0-9]))?"
)
_SAID = {"%": "percent", "‰": "permille", "°C": "degC", "°F": "degF", "°": "degree", "°K": "kelvin"}


class NoQuantity(ValueError):
    """The text is no quantity; the message says why."""


class UnitsDiffer(ValueError):
    """One unit cannot be turned into the other: they measure different things."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """From one unit to another: value · scale + shift."""

    scale: float
    shift: float

    def __call__(self, value: float) -> float:
        return value * self.scale + self.shift


def read_quantity(value: JsonValue) -> tuple[float, str | None]:
    """The number and the text of its unit, None where there is none. Raises NoQuantity."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise NoQuantity("neither a number nor text")
    if not isinstance(value, str):
        return _finite(value), None
    if len(value) > LONGEST:
        raise NoQuantity(f"{len(value)} characters")
    found = _NUMBER.match(value)
    if found is None:
        raise NoQuantity("it does not begin with a number")
    return _finite(float(found[1].replace("−", "-"))), value[found.end() :].strip() or None


def _finite(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise NoQuantity("not a finite number")
    return number


@lru_cache(maxsize=1024)
def conversion(source: str, target: str) -> Conversion:
    """How to turn values in `source` into values in `target`. Raises NoQuantity for a unit nobody
    knows and UnitsDiffer where one is not the other's kind."""
    start, end = _unit(source), _unit(target)
    if start.dimensionality != end.dimensionality:
        raise UnitsDiffer(f"{source[:40]} cannot be turned into {target[:40]}")
    try:
        zero, one = (_registry().Quantity(v, start).to(end).magnitude for v in (0.0, 1.0))
    except Exception as error:  # pint's many ways to say that an offset unit stands in a product
        raise UnitsDiffer(f"{source[:40]} cannot be turned into {target[:40]}") from error
    if not (math.isfinite(zero) and math.isfinite(one)) or one == zero:
        raise UnitsDiffer(f"{source[:40]} is out of all proportion to {target[:40]}")
    return Conversion(scale=one - zero, shift=zero)


def known_unit(text: str) -> bool:
    """Whether the grammar and the registry know this unit."""
    try:
        _unit(text)
    except NoQuantity:
        return False
    return True


@lru_cache(maxsize=1)
def _registry() -> "UnitRegistry[Any]":
    # The registry takes a fifth of a second to load: only whoever meets a unit waits for it.
    import pint

    registry: UnitRegistry[Any] = pint.UnitRegistry()
    registry.define("permille = 0.001 = ‰")
    return registry


@lru_cache(maxsize=1024)
def _unit(text: str) -> Any:
    """The unit of a text, factor by factor. Raises NoQuantity."""
    total = _registry().Unit("")
    at, factors = 0, 0
    while at < len(text):
        found = _FACTOR.match(text, at)
        factors += 1
        if found is None or factors > MOST_FACTORS or (at == 0 and found["join"]):
            raise NoQuantity(f"{text[:40]!r} is no unit")
        if at and not found["join"]:
            raise NoQuantity(f"{text[:40]!r} is no unit")
        power = int(found["power"] or 1)
        total *= _named(found["name"]) ** (-power if "/" in found["join"] else power)
        at = found.end()
    return total


def _named(name: str) -> Any:
    import pint

    registry = _registry()
    try:
        known = registry.parse_unit_name(_SAID.get(name, name))
    except (pint.errors.PintError, ValueError, TypeError, AttributeError) as error:
        raise NoQuantity(f"{name[:40]!r} is no unit") from error
    if not known:
        raise NoQuantity(f"{name[:40]!r} is no unit")
    prefix, unit, _ = known[0]
    return registry.Unit(f"{prefix}{unit}")
