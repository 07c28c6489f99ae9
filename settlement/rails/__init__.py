"""Rails: how money enters and leaves. One file a rail, one table of all."""

from settlement.rails.rail import Answer, Rail, RailUnreachable
from settlement.rails.sandbox import SandboxRail

__all__ = ["RAILS", "Answer", "Rail", "RailUnknown", "RailUnreachable", "rail_named"]

RAILS: dict[str, Rail] = {"sandbox": SandboxRail()}


class RailUnknown(ValueError):
    """There is no rail of this name."""


def rail_named(name: str) -> Rail:
    """The rail of this name. Raises RailUnknown."""
    try:
        return RAILS[name]
    except KeyError:
        known = ", ".join(sorted(RAILS))
        raise RailUnknown(f"there is no rail {name!r}; choose one of {known}") from None
