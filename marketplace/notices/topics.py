"""What is told of the log, under which topic, to whom and in which words. Data and pure functions.

A new kind of evidence is told once it has a row in `TOLD`; nothing else knows the kinds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from marketplace.notices.phrases import Words, word
from marketplace.notices.titles import (
    Facts,
    breached,
    closed,
    confirmed,
    drift,
    fired,
    frozen,
    outcome,
    plain,
    ruled,
    step,
)
from marketplace.notices.topics_needs import ABOUT as NEEDS_ABOUT
from marketplace.notices.topics_needs import ALIKE, NEEDS
from marketplace.notices.topics_needs import TITLE as NEEDS_TITLE
from marketplace.notices.topics_replies import ABOUT as REPLIES_ABOUT
from marketplace.notices.topics_replies import REPLIES
from marketplace.notices.topics_replies import TITLE as REPLIES_TITLE

Audience = Literal["sides", "party", "agent", "owner", "answered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What somebody may want to hear of, and whether by mail unless they say otherwise."""

    title: str
    about: str
    mail: bool


TOPICS: Mapping[str, Topic] = {
    "violation": Topic(
        title=word("Broken promises"),
        about=word("A clause breached on production calls, drift, another model or version."),
        mail=True,
    ),
    "incident": Topic(
        title=word("Incidents"),
        about=word("Who answers for an incident, and how it ended."),
        mail=True,
    ),
    "control": Topic(
        title=word("Controls"),
        about=word("A control that fired or was lifted, and reviews due."),
        mail=True,
    ),
    "route": Topic(
        title=word("Routes, shadows and replays"),
        about=word("Another agent answers on a route; a candidate was compared."),
        mail=False,
    ),
    "dispute": Topic(
        title=word("Disputes"), about=word("A challenge, an answer owed, a ruling."), mail=True
    ),
    "escrow": Topic(
        title=word("Money on milestones"),
        about=word("Set aside, withheld, frozen, released or refunded."),
        mail=True,
    ),
    "engagement": Topic(
        title=word("Hires and verdicts"),
        about=word("Offers, signatures, cancellations and verdicts."),
        mail=False,
    ),
    "money": Topic(
        title=word("Deposits and payouts"),
        about=word("Money that came in or went out."),
        mail=False,
    ),
    "search": Topic(
        title=word("Saved searches"),
        about=word("An agent newly fits what you look for, or no longer does."),
        mail=True,
    ),
    "reply": Topic(title=REPLIES_TITLE, about=REPLIES_ABOUT, mail=True),
    "need": Topic(title=NEEDS_TITLE, about=NEEDS_ABOUT, mail=True),
    "program": Topic(
        title=word("Webhooks"), about=word("A webhook that is told nothing any more."), mail=True
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How one kind of evidence is told. `says` gives the title from the facts and the agent's
    name; `path` is of its page, from the subjects, and `otherwise` where it names one that is
    missing; `grave` marks what cannot wait."""

    topic: str
    says: Callable[[Facts, str], Words]
    path: str
    otherwise: str = "/evidence/"
    audience: Audience = "sides"
    grave: Callable[[Facts], bool] = lambda facts: False
    people: bool = True  # else only programs hear of it
    when: Callable[[Facts], bool] = lambda facts: True


_CALLS, _ENGAGEMENT = "/engagements/{engagement}/calls/", "/engagements/{engagement}/"
_METER = "/meters/{meter}/"
_ALWAYS: Callable[[Facts], bool] = lambda facts: True  # noqa: E731 - a row of data below

TOLD: Mapping[str, Told] = {
    **{kind: Told(**ALIKE, **row) for kind, row in NEEDS.items()},
    **{kind: Told(**row) for kind, row in REPLIES.items()},
    "window.breached": Told(topic="violation", says=breached, path=_CALLS, grave=_ALWAYS),
    "window.concluded": Told(
        topic="violation",
        says=plain("A window of {agent}’s calls was concluded"),
        path=_CALLS,
        people=False,
    ),
    "drift.found": Told(
        topic="violation",
        says=drift,
        path=_CALLS,
        grave=lambda facts: facts.get("level") == "act",
    ),
    "model.changed": Told(
        topic="violation", says=plain("Another model answers for {agent}"), path=_CALLS
    ),
    "version.changed": Told(
        topic="violation",
        says=plain("Another version of {agent} answers than was hired"),
        path=_CALLS,
    ),
    "incident.opened": Told(
        topic="incident",
        says=plain("An incident about {agent} was opened"),
        path="/incidents/{incident}/",
        people=False,  # the violation itself was told
    ),
    "incident.assigned": Told(
        topic="incident",
        says=plain("An incident about {agent} has another owner"),
        path="/incidents/{incident}/",
    ),
    "incident.resolved": Told(
        topic="incident",
        says=outcome("An incident about {agent} is resolved: {outcome}"),
        path="/incidents/{incident}/",
    ),
    "control.fired": Told(
        topic="control",
        says=fired,
        path="/firings/{firing}/",
        audience="agent",
        grave=_ALWAYS,
    ),
    "control.cleared": Told(
        topic="control",
        says=plain("A control on {agent} was lifted"),
        path="/firings/{firing}/",
        audience="agent",
    ),
    "control.overridden": Told(
        topic="control",
        says=plain("A control on {agent} is overridden for a time"),
        path="/firings/{firing}/",
        audience="agent",
    ),
    "control.review_overdue": Told(
        topic="control",
        says=plain("The review of a control is overdue"),
        path="/controls/{control}/",
        audience="owner",
    ),
    "route.switched": Told(
        topic="route",
        says=plain("{agent} answers on your route now"),
        path="/routes/{route}/",
        audience="party",
    ),
    "shadow.concluded": Told(
        topic="route",
        says=outcome("The shadow run of {agent} says: {outcome}"),
        path="/shadows/{shadow}/",
        audience="party",
    ),
    "evaluation.awaited": Told(
        topic="engagement",
        says=plain("A hire of {agent} waits for you to begin its run"),
        path="/evaluations/{evaluation}/",
        audience="party",
        grave=_ALWAYS,
    ),
    "hook.disabled": Told(
        topic="program",
        says=plain("A webhook was switched off"),
        path="/hooks/{hook}/",
        audience="party",
        grave=_ALWAYS,
    ),
    "dispute.opened": Told(
        topic="dispute",
        says=plain("A dispute was opened about {agent}"),
        path="/disputes/{dispute}/",
        grave=_ALWAYS,
    ),
    "dispute.defaulted": Told(
        topic="dispute",
        says=plain("A dispute about {agent} was lost by silence"),
        path="/disputes/{dispute}/",
        grave=_ALWAYS,
    ),
    "ruling.made": Told(
        topic="dispute",
        says=ruled,
        path="/disputes/{dispute}/",
        grave=_ALWAYS,
    ),
    "ruling.reviewed": Told(topic="dispute", says=confirmed, path="/disputes/{dispute}/"),
    "dispute.answered": Told(
        topic="dispute",
        says=plain("The dispute about {agent} was answered"),
        path="/disputes/{dispute}/",
    ),
    "dispute.advanced": Told(topic="dispute", says=step, path="/disputes/{dispute}/", people=False),
    "exhibit.added": Told(
        topic="dispute",
        says=plain("Evidence was added to the dispute about {agent}"),
        path="/disputes/{dispute}/",
    ),
    "dispute.appealed": Told(
        topic="dispute",
        says=plain("The ruling about {agent} was appealed"),
        path="/disputes/{dispute}/",
        grave=_ALWAYS,
    ),
    "dispute.closed": Told(topic="dispute", says=closed, path="/disputes/{dispute}/"),
    "filing.ended": Told(
        topic="dispute",
        says=outcome("The deposit for a dispute was {outcome}"),
        path="/disputes/{dispute}/",
        audience="party",
    ),
    "escrow.funded": Told(
        topic="escrow", says=plain("Money was set aside for {agent}"), path=_ENGAGEMENT
    ),
    "escrow.withheld": Told(
        topic="escrow",
        says=plain("Money for {agent} is withheld"),
        path=_ENGAGEMENT,
        grave=_ALWAYS,
    ),
    "escrow.frozen": Told(
        topic="escrow",
        says=plain("Money for {agent} is frozen"),
        path=_ENGAGEMENT,
        grave=_ALWAYS,
    ),
    "escrow.settled": Told(
        topic="escrow", says=outcome("Money for {agent} was {outcome}"), path=_ENGAGEMENT
    ),
    "meter.frozen": Told(
        topic="escrow",
        says=frozen,
        path=_METER,
        grave=_ALWAYS,
    ),
    "meter.withheld": Told(
        topic="escrow",
        says=plain("The price of a window of {agent}’s calls is withheld"),
        path=_METER,
    ),
    "meter.funded": Told(
        topic="escrow", says=plain("Money was set aside for calls of {agent}"), path=_METER
    ),
    "meter.paused": Told(
        topic="escrow", says=plain("The budget of {agent} is paused"), path=_METER
    ),
    "meter.resumed": Told(
        topic="escrow", says=plain("The budget of {agent} runs again"), path=_METER
    ),
    "meter.waived": Told(
        topic="escrow", says=plain("The buyer lets {agent} go on after a breach"), path=_METER
    ),
    "meter.ended": Told(topic="escrow", says=plain("The budget of {agent} has ended"), path=_METER),
    "meter.settled": Told(
        topic="escrow",
        says=outcome("A window of {agent}’s calls is settled: {outcome}"),
        path=_METER,
        people=False,
    ),
    "engagement.proposed": Told(
        topic="engagement", says=plain("{agent} is offered a hire"), path=_ENGAGEMENT
    ),
    "engagement.lapsed": Told(
        topic="engagement", says=plain("A hire of {agent} lapsed"), path=_ENGAGEMENT
    ),
    "cancellation.proposed": Told(
        topic="engagement",
        says=plain("A cancellation of {agent}’s work is offered"),
        path=_ENGAGEMENT,
    ),
    "cancellation.closed": Told(
        topic="engagement",
        says=outcome("The offer to cancel {agent}’s work was {outcome}"),
        path=_ENGAGEMENT,
    ),
    "delivery.accepted": Told(
        topic="engagement", says=plain("{agent}’s work was accepted"), path=_ENGAGEMENT
    ),
    "evaluation.concluded": Told(
        topic="engagement",
        says=outcome("The verdict on {agent} is {outcome}"),
        path=_ENGAGEMENT,
    ),
    "deposit.received": Told(
        topic="money", says=plain("A deposit arrived"), path="/money/", audience="party"
    ),
    "deposit.failed": Told(
        topic="money", says=plain("A deposit failed"), path="/money/", audience="party"
    ),
    "payout.paid": Told(
        topic="money", says=plain("A payout was paid"), path="/money/", audience="party"
    ),
    "payout.failed": Told(
        topic="money",
        says=plain("A payout failed"),
        path="/money/",
        audience="party",
        grave=_ALWAYS,
    ),
    "refund.failed": Told(
        topic="money",
        says=plain("A refund failed"),
        path="/money/",
        audience="party",
        grave=_ALWAYS,
    ),
}


def path_of(told: Told, subjects: Mapping[str, str]) -> str:
    """The page about it; the list of evidence where a subject is missing."""
    for path in (told.path, told.otherwise):
        try:
            return path.format(**subjects)
        except KeyError:
            continue
    return "/evidence/"


def words_of(told: Told, facts: Facts, agent: str) -> Words:
    """What its title says, for every language."""
    return told.says(facts, agent or "an agent")
