"""Needs: what a buyer wants done under its own pact, and the offers sealed until a moment."""

from pacts.needs.closing import close_unchosen, picked, withdraw_need
from pacts.needs.offering import (
    NeedClosed,
    OfferRefused,
    offer,
    opened_for_its_builder,
    take_back,
)
from pacts.needs.posting import NeedDraft, NeedRefused, post
from pacts.needs.revealing import reveal_due, unfit_now

__all__ = [
    "NeedClosed",
    "NeedDraft",
    "NeedRefused",
    "OfferRefused",
    "close_unchosen",
    "offer",
    "opened_for_its_builder",
    "picked",
    "post",
    "reveal_due",
    "take_back",
    "unfit_now",
    "withdraw_need",
]
