"""What somebody who thinks a run is wrong can do about it: every way there is, and none besides.

Each way says what it costs, what it changes and, where it is closed, why: by asking the rule that
would refuse it. There is no way to have a verdict edited; a later finding stands beside it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pacts import policies
from pacts.models import Evaluation, Milestone, Party
from pacts.procedure.limits import Rules
from settlement import filings
from settlement.escrow import why_undisputable
from settlement.models import Escrow

Key = Literal["dispute", "recheck", "verify", "third_party", "reply"]
Text = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to contest a run. `closed` says why it is shut, empty when it is open; `cost` is in
    minor units of `currency` where it costs something that can be said. `about` is what its link
    is about."""

    key: Key
    title: Text
    changes: Text
    costs: Text
    closed: Text = ""
    cost: int = 0
    currency: str = ""
    about: str = ""

    @property
    def is_open(self) -> bool:
        return not self.closed


def ways(run: Evaluation, *, party: Party, now: datetime) -> list[Way]:
    """The ways the party has with a concluded run, the strongest first."""
    if run.state != Evaluation.State.CONCLUDED:
        return []
    milestone = run.deliverable.milestone if run.deliverable else None
    return [
        *([_dispute(milestone, party, now)] if milestone else []),
        _recheck(run, party),
        _verify(run, party),
        *([_third_party()] if run.agent_version.agent.builder_id == party.pk else []),
        *([_reply()] if milestone and run.agent_version.agent.builder_id == party.pk else []),
    ]


def _dispute(milestone: Milestone, party: Party, now: datetime) -> Way:
    escrow = Escrow.objects.filter(milestone=milestone).first()
    closed: str | Promise = _("no money was set aside for it")
    if escrow is not None:
        closed = why_undisputable(escrow=escrow, now=now) or ""
    rules: Rules = policies.rules_for(milestone.engagement)
    return Way(
        key="dispute",
        title=_("Dispute it"),
        changes=_(
            "The money freezes, both sides are heard, and a person without interest in the case "
            "rules. A verdict the ruling overturns counts in no standing."
        ),
        costs=_("A deposit where you lost disputes lately; nothing otherwise. It returns unless "
                "you lose."),
        closed=closed,
        cost=filings.due_for(party=party, milestone=milestone, now=now, rules=rules),
        currency=milestone.engagement.currency,
        about=milestone.pk,
    )  # fmt: skip


def _recheck(run: Evaluation, party: Party) -> Way:
    whose = run.requested_by_id == party.pk
    return Way(
        key="recheck",
        title=_("Have the stored answers checked again"),
        changes=_(
            "The checks as they are now run over the very answers. A difference is a ground for a "
            "dispute; by itself it moves no money and no standing."
        ),
        costs=_("Nothing, and nobody is called."),
        closed="" if whose else _("only the party that asked for the run may; ask it to"),
        about=run.pk,
    )


def _verify(run: Evaluation, party: Party) -> Way:
    whose = run.requested_by_id == party.pk
    return Way(
        key="verify",
        title=_("Verify it on your own machine"),
        changes=_(
            "The bundle holds everything the verdict was computed from. Your machine computes it "
            "again; if it comes to something else, that is proof."
        ),
        costs=_("Nothing."),
        closed="" if whose else _("the bundle holds the tasks, and they are not yours to see"),
        about=run.pk,
    )


def _third_party() -> Way:
    return Way(
        key="third_party",
        title=_("Be judged by somebody else next time"),
        changes=_(
            "An evaluator that neither side owns brings the tasks and begins the run. What it "
            "finds is fresh evidence beside this one; this one stays."
        ),
        costs=_("What a new hire under it costs; the buyer must agree to it."),
    )


def _reply() -> Way:
    return Way(
        key="reply",
        title=_("Say what you have to say"),
        changes=_("Your signed words stand beside it for everybody. They change no number."),
        costs=_("Nothing."),
    )
