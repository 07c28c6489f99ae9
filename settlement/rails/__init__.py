"""Rails: how money enters and leaves. One file a rail, one table of all."""

from settlement.idempotency import is_token
from settlement.rails.rail import (
    Answer,
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


def rail_named(name: str) -> Rail:
    """The rail of this name. Raises RailUnknown."""
    rail = RAILS.get(name)
    if rail is None or not rail.ready:
        known = ", ".join(sorted(name for name, rail in RAILS.items() if rail.ready))
        raise RailUnknown(f"there is no rail {name!r}; choose one of {known}")
    return rail
