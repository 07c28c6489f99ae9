"""Rails: how money enters and leaves. One file a rail, one table of all."""

from settlement.idempotency import is_token
from settlement.rails.rail import Answer, Rail, RailUnreachable
from settlement.rails.sandbox import SandboxRail

__all__ = [
    "RAILS",
    "Answer",
    "PlaceMalformed",
    "Rail",
    "RailUnknown",
    "RailUnreachable",
    "check_place",
    "rail_named",
]

RAILS: dict[str, Rail] = {"sandbox": SandboxRail()}


class RailUnknown(ValueError):
    """There is no rail of this name."""


class PlaceMalformed(ValueError):
    """A source or destination is a token of the rail: 1 to 80 printable ASCII characters."""


def check_place(place: str) -> str:
    """A source or destination itself. Raises PlaceMalformed."""
    if not is_token(place):
        raise PlaceMalformed("name where the money is by a token of 1 to 80 printable characters")
    return place


def rail_named(name: str) -> Rail:
    """The rail of this name. Raises RailUnknown."""
    try:
        return RAILS[name]
    except KeyError:
        known = ", ".join(sorted(RAILS))
        raise RailUnknown(f"there is no rail {name!r}; choose one of {known}") from None
