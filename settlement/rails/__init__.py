"""Rails: how money enters and leaves. One file a rail, one table of all."""

from settlement.idempotency import is_token
from settlement.rails.rail import (
    Answer,
    Guide,
    Kind,
    Movement,
    Notice,
    Order,
    Rail,
    RailUnreachable,
    WebhookRefused,
)
from settlement.rails.sandbox import SandboxRail
from settlement.rails.stripe_rail import StripeRail

__all__ = [
    "RAILS",
    "Answer",
    "Guide",
    "Kind",
    "Movement",
    "Notice",
    "Order",
    "PlaceMalformed",
    "Rail",
    "RailUnknown",
    "RailUnreachable",
    "WebhookRefused",
    "check_place",
    "rail_named",
    "rails_here",
]

RAILS: dict[str, Rail] = {"sandbox": SandboxRail(), "stripe": StripeRail()}


class RailUnknown(ValueError):
    """There is no rail of this name, or it is not set up here."""


class PlaceMalformed(ValueError):
    """A source or destination is a token of the rail: 1 to 80 printable ASCII characters."""


def check_place(place: str) -> str:
    """A source or destination itself. Raises PlaceMalformed."""
    if not is_token(place):
        raise PlaceMalformed("name where the money is by a token of 1 to 80 printable characters")
    return place


def rails_here() -> dict[str, Rail]:
    """Every rail that is set up here, by name."""
    return {name: rail for name, rail in RAILS.items() if rail.ready}


def rail_named(name: str) -> Rail:
    """The rail of this name. Raises RailUnknown."""
    rail = RAILS.get(name)
    if rail is None or not rail.ready:
        known = ", ".join(sorted(rails_here())) or "none, for none is set up here"
        raise RailUnknown(f"there is no rail {name!r}; choose one of {known}")
    return rail
