"""What would move an agent's standing, most first, each with its effect and its interval."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from marketplace.models import Incident
from marketplace.pages import builder_view
from marketplace.pages.rates import Rate, rate_of_standing
from marketplace.pages.visitors import find, now_of, party_of
from marketplace.prospects import prospects_for
from reputation.prospects import NO_WAYS, Prospect


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One dimension after a supposition: its rate, and by how much its lower bound moved."""

    name: str
    rate: Rate
    gain: int
    was_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProspectLine:
    """One supposition in words, and what it comes to."""

    one: Prospect
    title: str
    detail: str
    effects: list[Effect]
    is_way: bool

    @property
    def before(self) -> int | None:
        return self.one.before.composite.score_bps

    @property
    def after(self) -> int | None:
        return self.one.after.composite.score_bps


def prospects(request: HttpRequest, slug: str) -> HttpResponse:
    """The page of one agent of the builder's own."""
    agent = find(builder_view.agents_of(party_of(request)), slug=slug)
    now = now_of(request)
    version, found = prospects_for(agent=agent, now=now)
    open_ones = Incident.objects.filter(agent=agent, resolved_at=None).count()
    context = {
        "agent": agent,
        "version": version,
        "found": found,
        "ways": [_line(one, version.number) for one in found.ways],
        "no_ways": [_line(one, version.number) for one in found.no_ways],
        "open_incidents": open_ones,
    }
    return render(request, "builder/prospects.html", context)


def _line(one: Prospect, number: int) -> ProspectLine:
    title, detail = _WORDS[one.kind](one)
    gains = one.lower_gains
    return ProspectLine(
        one=one,
        title=title,
        detail=detail,
        is_way=one.kind not in NO_WAYS,
        effects=[
            Effect(
                name=name,
                rate=rate_of_standing(after, version=number),
                gain=gains[name],
                was_new=(before := one.before.dimensions.get(name)) is None or before.is_new,
            )
            for name, after in sorted(one.after.dimensions.items())
        ],
    )


def _established(one: Prospect) -> tuple[str, str]:
    return (
        _("A hire by another established buyer"),
        _("%(units)d tasks, all kept, for somebody who has not hired you yet.")
        % {"units": one.units},
    )


def _again(one: Prospect) -> tuple[str, str]:
    return (
        _("One more hire by a buyer you have"),
        _(
            "%(units)d tasks, all kept, for the one whose word counts most (%(permille)d ‰). What "
            "is newer displaces what is older: one buyer speaks for ten tasks at most."
        )
        % {"units": one.units, "permille": one.permille},
    )


def _unknown(one: Prospect) -> tuple[str, str]:
    return (
        _("A hire by a buyer nobody knows yet"),
        _("%(units)d tasks, all kept. A word without a record counts %(permille)d ‰.")
        % {"units": one.units, "permille": one.permille},
    )


def _dimension(one: Prospect) -> tuple[str, str]:
    named = one.dimension.replace("_", " ")
    return (
        _("Fresh evidence on %(dimension)s alone") % {"dimension": named},
        _("%(units)d tasks that measure only this, all kept, for another established buyer.")
        % {"units": one.units},
    )


def _hidden(one: Prospect) -> tuple[str, str]:
    return (
        _("Hidden tasks of the platform, kept"),
        _("They cap your rates now. Supposed is a hire with ten of them, all kept."),
    )


def _wait(one: Prospect) -> tuple[str, str]:
    return (
        _("Wait %(days)d days") % {"days": one.days},
        _(
            "Nothing else happens. All evidence ages alike, so a rate stays and its interval "
            "widens: an old breach does not go away by itself."
        ),
    )


def _wait_then_hire(one: Prospect) -> tuple[str, str]:
    return (
        _("Let old failures age, then be hired"),
        _("The same hire by another established buyer, %(days)d days from now.")
        % {"days": one.days},
    )


def _names(one: Prospect) -> tuple[str, str]:
    return (
        _("%(hires)d hires by fresh names") % {"hires": one.hires},
        _(
            "Work for oneself under new names: each counts %(permille)d ‰, and all together add "
            "%(credited).1f tasks to what credible buyers vouch for. Whatever moves is the "
            "provisional number, which ranks below everybody who is vouched for."
        )
        % {"hires": one.hires, "permille": one.permille, "credited": one.credited_units},
    )


def _own(one: Prospect) -> tuple[str, str]:
    return (
        _("Runs of your own"),
        _("They are on record, and the fold passes them over: nobody vouches for itself."),
    )


def _claim(one: Prospect) -> tuple[str, str]:
    return (
        _("A benchmark claim"),
        _("It is shown beside the standing and is in no number of it."),
    )


def _incident(one: Prospect) -> tuple[str, str]:
    return (
        _("Closing an incident"),
        _(
            "It frees routes and ends reminders, and it is right to do. The number is made of "
            "counted work alone."
        ),
    )


_WORDS: dict[str, Callable[[Prospect], tuple[str, str]]] = {
    "hire_established": _established,
    "hire_again": _again,
    "hire_unknown": _unknown,
    "dimension": _dimension,
    "hidden_tasks": _hidden,
    "wait": _wait,
    "wait_then_hire": _wait_then_hire,
    "fresh_names": _names,
    "own_run": _own,
    "claim": _claim,
    "incident": _incident,
}
