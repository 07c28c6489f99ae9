"""What is told of needs and sealed offers: to who posted, and to each of who offered."""

from collections.abc import Mapping
from typing import Any

from marketplace.notices.phrases import Words, phrase, word
from marketplace.notices.titles import Facts

TITLE = word("Needs and offers")
ABOUT = word("Offers that were opened, and which one was picked.")


def _revealed(facts: Facts, agent: str) -> Words:
    return [phrase("{count} offers on your need were opened", count=str(facts.get("offers", 0)))]


def _opened(facts: Facts, agent: str) -> Words:
    return [phrase("Your offer with {agent} was opened with all others", agent=agent)]


_ENDS = {
    "picked": phrase("Your offer was picked: a hire waits for your signature"),
    "passed_over": phrase("A need you offered on ended without your offer"),
    "unfit": phrase("Your offer could not be taken up when it was opened"),
}
_CLOSED = {
    "picked": phrase("Your need ended with a hire"),
    "no_pick": phrase("Your need ended: no offer was picked in time"),
    "no_offers": phrase("Your need ended: nobody offered"),
    "withdrawn": phrase("Your need was withdrawn"),
}


def _ended(facts: Facts, agent: str) -> Words:
    return [_ENDS.get(str(facts.get("outcome")), _ENDS["passed_over"])]


def _closed(facts: Facts, agent: str) -> Words:
    return [_CLOSED.get(str(facts.get("outcome")), _CLOSED["no_pick"])]


# The fields of `topics.Told`, by kind.
NEEDS: Mapping[str, Mapping[str, Any]] = {
    "need.revealed": {"says": _revealed, "grave": lambda facts: True},
    "offer.revealed": {"says": _opened},
    "offer.ended": {
        "says": _ended,
        "grave": lambda facts: facts.get("outcome") == "picked",
    },
    "need.closed": {"says": _closed},
}
ALIKE: Mapping[str, Any] = {"topic": "need", "path": "/needs/{need}/", "audience": "party"}
