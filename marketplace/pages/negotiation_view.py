"""What the two sides see of a negotiation: its offers, and what each changed, for whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.pages.pact_view import ChangeText, change_texts
from marketplace.pages.promises import clause_texts
from marketplace.pages.wording import amount, span
from pacts import proposals
from pacts.models import Negotiation, Party, Proposal, TaskSetVersion
from pacts.offered import OfferedTerms
from pacts.offered_changes import Span, TermChange, changes_between, word_spans
from pacts.terms import Clause, PactTerms

# Said in a clause's sentences already, so not said again as bare fields.
_IN_SENTENCES = frozenset(
    {"promise", "floor", "weight", "severity", "consequence", "on undetermined", "repeats"}
)
_NAMES = {
    "amount": _lazy("Price"),
    "bond": _lazy("The builder’s bond"),
    "title": _lazy("Title"),
    "task_set_version": _lazy("Tasks that decide"),
    "milestone": _lazy("Milestone"),
    "work_seconds": _lazy("Time to hand the work over"),
    "evaluation_seconds": _lazy("Time to evaluate"),
    "acceptance_seconds": _lazy("Time to accept or dispute"),
    "cure_seconds": _lazy("Time to do better after a breach"),
    "funding_seconds": _lazy("Time to fund"),
    "max_revisions": _lazy("Revisions after a breach"),
}
_SENTENCES = {
    "promised": _lazy("Promised"),
    "if_breached": _lazy("If broken"),
    "if_undetermined": _lazy("If it stays open"),
    "proof": _lazy("Takes"),
    "care": _lazy("Cared for"),
}


@dataclass(frozen=True, slots=True)
class Beside:
    """One thing said two ways: its name, and the older and newer words with marks."""

    name: str
    before: list[Span]
    after: list[Span]


@dataclass(frozen=True, slots=True)
class Difference:
    """One clause or one number that changed, for whom it is better, and both texts."""

    name: str
    word: str
    tone: str
    lines: list[Beside]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two offers beside each other."""

    money: list[Difference]
    clauses: list[Difference]

    def __bool__(self) -> bool:
        return bool(self.money or self.clauses)

    @property
    def count(self) -> int:
        return len(self.money) + len(self.clauses)


def negotiations_of(party: Party) -> QuerySet[Negotiation]:
    """Those this party is a side of, the newest first, with their offers."""
    offers = Proposal.objects.select_related("party", "engagement").order_by("-number")
    return (
        Negotiation.objects.filter(Q(buyer=party) | Q(builder=party))
        .select_related(
            *("buyer", "builder", "evaluator", "agent_version__agent__builder"),
            "published__pact__agent__builder",
        )
        .prefetch_related(Prefetch("proposals", offers))
        .order_by("-opened_at", "-id")
    )


def proposals_of(party: Party) -> QuerySet[Proposal]:
    """The offers of either side in this party's negotiations."""
    sides = Q(negotiation__buyer=party) | Q(negotiation__builder=party)
    return Proposal.objects.filter(sides).select_related(
        *("party", "negotiation__buyer", "negotiation__builder", "negotiation__evaluator"),
        "negotiation__agent_version__agent__builder",
        "negotiation__published__pact__agent__builder",
    )


def read(proposal: Proposal) -> OfferedTerms | None:
    """Its terms; None once they were erased."""
    return proposals.terms_of(proposal) if proposal.terms else None


def tasks_in(*offers: OfferedTerms | None) -> dict[str, TaskSetVersion]:
    """The task sets that offers name, by id."""
    wanted = {pk for one in offers if one for pk in one.task_set_versions}
    return TaskSetVersion.objects.select_related("task_set").in_bulk(list(wanted))


def compare(
    *, old: OfferedTerms, new: OfferedTerms, currency: str, tasks: Mapping[str, TaskSetVersion]
) -> Comparison:
    """What changed from one offer to another, as a page says it."""
    found = changes_between(old=old, new=new)
    money = [_money(change, currency, tasks) for change in found.terms]
    return Comparison(money, clause_differences(old=old.pact, new=new.pact))


def clause_differences(*, old: PactTerms, new: PactTerms) -> list[Difference]:
    """Clauses that changed, both texts beside each other, words marked."""
    return [_clause(change, old, new) for change in change_texts(old=old, new=new)]


def _money(change: TermChange, currency: str, tasks: Mapping[str, TaskSetVersion]) -> Difference:
    name = str(_NAMES[change.name])
    if change.place is not None:
        name = _("%(what)s of milestone %(number)s") % {"what": name, "number": change.place + 1}
    before, after = (
        _said(change, value, currency, tasks) for value in (change.before, change.after)
    )
    spans = word_spans(before, after)
    word, tone = {
        "buyer": (_("better for the buyer"), "met"),
        "builder": (_("better for the builder"), "undetermined"),
        "": (_("changed"), ""),
    }[change.favours]
    return Difference(name, word, tone, [_beside("", spans)])


def _said(
    change: TermChange,
    value: int | str | None,
    currency: str,
    tasks: Mapping[str, TaskSetVersion],
) -> str:
    if value is None:
        return _("none")
    if change.kind in ("amount", "bond"):
        return amount(int(value), currency)
    if change.kind == "seconds":
        return span(int(value))
    if change.kind == "task_set_version":
        found = tasks.get(str(value))
        return f"{found.task_set.name}, v{found.number}: {found.size}" if found else str(value)
    return str(value)


def _clause(change: ChangeText, old: PactTerms, new: PactTerms) -> Difference:
    before, after = (_named(side, change.name) for side in (old, new))
    lines = _sentences(before, after, old, new) if before or after else []
    lines += [
        _beside(name, word_spans(was, now))
        for name, was, now in change.fields
        if name not in _IN_SENTENCES and before and after
    ]
    if not (before or after):
        lines = [_beside(name, word_spans(was, now)) for name, was, now in change.fields]
    return Difference(change.name, change.direction, change.tone, lines)


def _named(pact: PactTerms, title: str) -> Clause | None:
    return next((one for one in pact.clauses if one.title == title), None)


def _sentences(
    before: Clause | None, after: Clause | None, old: PactTerms, new: PactTerms
) -> list[Beside]:
    was = {one.key: one for one in clause_texts(old)}
    now = {one.key: one for one in clause_texts(new)}
    one, other = before and was.get(before.key), after and now.get(after.key)
    lines = []
    for key, name in _SENTENCES.items():
        left, right = str(getattr(one, key, "") or ""), str(getattr(other, key, "") or "")
        if left != right:
            lines.append(_beside(str(name), word_spans(left, right)))
    return lines


def _beside(name: str, spans: list[Span]) -> Beside:
    return Beside(
        name,
        [one for one in spans if one.kind != "new"],
        [one for one in spans if one.kind != "gone"],
    )


@dataclass(frozen=True, slots=True)
class Round:
    """One offer in the order they were made, with what it changed: the first of what everybody
    gets, any other of the one before."""

    proposal: Proposal
    is_mine: bool
    changes: Comparison | None
    is_first: bool


def rounds_of(negotiation: Negotiation, *, party: Party) -> list[Round]:
    """Every offer, the newest first; the first is held against what everybody gets."""
    made = sorted(negotiation.proposals.all(), key=lambda one: one.number)
    offers = [read(one) for one in made]
    tasks = tasks_in(*offers)
    before = [proposals.listed_of(negotiation), *offers[:-1]]
    rounds = [
        Round(
            proposal,
            proposal.party_id == party.pk,
            compare(old=old, new=new, currency=negotiation.currency, tasks=tasks)
            if old and new
            else None,
            proposal is made[0],
        )
        for proposal, old, new in zip(made, before, offers, strict=True)
    ]
    return rounds[::-1]


def is_late(proposal: Proposal, now: datetime) -> bool:
    """Whether an open offer can be answered no more, though the sweep has not said so yet."""
    return proposal.state == Proposal.State.OPEN and now > proposal.expires_at
