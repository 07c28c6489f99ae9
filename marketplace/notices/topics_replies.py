"""What is told of a builder's replies: to the buyer of what was found, and to who has an incident
to deal with. The builder itself knows."""

from collections.abc import Mapping
from typing import Any

from marketplace.notices.phrases import Words, phrase, word
from marketplace.notices.titles import Facts

TITLE = word("Replies to findings")
ABOUT = word("What a builder says to a verdict or an incident that concerns you.")


def _replied(facts: Facts, agent: str) -> Words:
    if facts.get("number", 1) > 1:
        return [phrase("The builder of {agent} changed its reply to a finding", agent=agent)]
    return [phrase("The builder of {agent} replied to a finding", agent=agent)]


# The fields of `topics.Told`, by kind.
REPLIES: Mapping[str, Mapping[str, Any]] = {
    "finding.replied": {
        "topic": "reply",
        "says": _replied,
        "path": "/evaluations/{evaluation}/#replies",
        "otherwise": "/incidents/{incident}/#replies",
        "audience": "answered",
    }
}
