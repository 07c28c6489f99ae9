"""The titles of what is told, from the facts and the agent's name."""

from collections.abc import Callable, Mapping
from typing import Any

from marketplace.notices.phrases import Phrase, Words, phrase

Facts = Mapping[str, Any]


def plain(text: str) -> Callable[[Facts, str], Words]:
    """One text about the agent."""
    return lambda facts, agent: [Phrase(text, {"agent": agent})]


def breached(facts: Facts, agent: str) -> Words:
    """A clause broke on production calls."""
    clause = str(facts.get("clause", ""))
    if facts.get("critical"):
        text = "{agent} broke the critical clause “{clause}” on production calls"
        return [phrase(text, agent=agent, clause=clause)]
    return [
        phrase(
            "{agent} broke the clause “{clause}” on production calls", agent=agent, clause=clause
        )
    ]


def drift(facts: Facts, agent: str) -> Words:
    """Something drifted."""
    what = str(facts.get("what", "calls"))
    if not facts.get("clause"):
        return [phrase("Drift in the {what} of {agent}", what=what, agent=agent)]
    clause = str(facts["clause"])
    return [
        phrase(
            "Drift in the {what} of “{clause}” of {agent}", what=what, agent=agent, clause=clause
        )
    ]


def outcome(text: str) -> Callable[[Facts, str], Words]:
    """A text with how it ended."""
    return lambda facts, agent: [
        Phrase(text, {"agent": agent, "outcome": _words(facts.get("outcome"))})
    ]


def _share(facts: Facts) -> list[Phrase]:
    share = facts.get("builder_share_bps")
    if share is None:
        return []
    return [phrase(": the builder is awarded {share} %", share=f"{share / 100:g}")]


def ruled(facts: Facts, agent: str) -> Words:
    """A dispute was ruled on."""
    by = (
        phrase("The dispute about {agent} was ruled on by rule", agent=agent)
        if facts.get("by") == "rule"
        else phrase("The dispute about {agent} was ruled on by a person", agent=agent)
    )
    waits = [phrase("; a second person must confirm it")] if facts.get("awaits_second") else []
    return [by, *_share(facts), *waits]


def confirmed(facts: Facts, agent: str) -> Words:
    """A second person looked at a ruling."""
    if facts.get("confirmed"):
        return [phrase("A second person confirmed the ruling about {agent}", agent=agent)]
    return [phrase("A second person declined the ruling about {agent}", agent=agent)]


def step(facts: Facts, agent: str) -> Words:
    """Where a dispute is now."""
    state = _words(facts.get("state"))
    return [phrase("The dispute about {agent} is {state}", agent=agent, state=state)]


def closed(facts: Facts, agent: str) -> Words:
    """How a dispute ended."""
    outcome = str(facts.get("outcome"))
    ended = phrase("The dispute about {agent} ended, {outcome}", agent=agent, outcome=outcome)
    return [ended, *_share(facts)]


def fired(facts: Facts, agent: str) -> Words:
    """What a control did."""
    action = _words(facts.get("action"))
    return [phrase("A control fired on {agent}: {action}", agent=agent, action=action)]


def frozen(facts: Facts, agent: str) -> Words:
    """Why a budget is frozen."""
    clause = str(facts.get("clause", ""))
    return [
        phrase("The budget of {agent} is frozen: it broke “{clause}”", agent=agent, clause=clause)
    ]


def _words(code: object) -> str:
    return str(code or "").replace("_", " ")
