"""Other terms as people type them: clauses, milestones and clocks of one offer.

The form is drawn from an offer and read into one. The clauses' fields and the pact's whole text are
two ways to say the same; whoever uses both in one form is asked to choose.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace.pages.forms import amount_in
from marketplace.pages.wording import decimal
from pacts import terms, texts
from pacts.feasibility import MOST_REVISIONS, Timers
from pacts.models import TaskSetVersion
from pacts.negotiations import LONGEST_NOTE, USUAL_SECONDS
from pacts.offered import OfferedMilestone, OfferedTerms
from pacts.terms import Clause, PactTerms

HOUR, DAY = 3600, 86_400
UNITS = (("d", DAY), ("h", HOUR), ("min", 60), ("s", 1))
STANDS = [
    (HOUR, _lazy("1 hour")),
    (6 * HOUR, _lazy("6 hours")),
    (DAY, _lazy("1 day")),
    (USUAL_SECONDS, _lazy("3 days, as usual")),
    (7 * DAY, _lazy("7 days")),
    (14 * DAY, _lazy("14 days")),
]
CLOCKS = {
    "work_seconds": _lazy("To hand the work over"),
    "evaluation_seconds": _lazy("To evaluate it"),
    "acceptance_seconds": _lazy("To accept or dispute a verdict"),
    "cure_seconds": _lazy("To do better after a breach"),
    "funding_seconds": _lazy("To fund it once signed"),
}
MOST_ROWS = 12
_CLOCK = re.compile(r"\s*([0-9]{1,9})\s*(d|h|min|s)\s*", re.ASCII)
_SHARE = re.compile(r"\s*([0-9]{1,3})(?:[.,]([0-9]{1,2}))?\s*%?\s*", re.ASCII)


class SpanField(forms.CharField):
    """A period as `3 d`, `12 h`, `90 min` or `45 s`; `clean` gives seconds."""

    def clean(self, value: Any) -> Any:
        found = _CLOCK.fullmatch(super().clean(value))
        if not found:
            raise forms.ValidationError(_("Write a number and a unit: 3 d, 12 h, 90 min or 45 s."))
        return int(found[1]) * dict(UNITS)[found[2]]


class ShareField(forms.CharField):
    """A percentage with at most two decimals; `clean` gives basis points."""

    def clean(self, value: Any) -> Any:
        found = _SHARE.fullmatch(super().clean(value))
        bps = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else -1
        if not 0 <= bps <= terms.WHOLE:
            raise forms.ValidationError(_("Write a percentage from 0 to 100, such as 97.5."))
        return bps


class MoneyText(forms.CharField):
    """An amount of the offer's currency; `clean` gives minor units, None where it is empty."""

    def __init__(self, *, currency: str, **kwargs: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off"}
        super().__init__(max_length=24, widget=forms.TextInput(attrs=attrs), **kwargs)
        self.currency = currency

    def clean(self, value: Any) -> Any:
        typed = super().clean(value)
        if not typed or not typed.strip(" 0.,"):
            return 0
        return amount_in(typed, self.currency)


def span_text(seconds: int) -> str:
    """Seconds as a form writes them, in the largest unit that divides them."""
    for name, size in UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds // size} {name}"
    return "0 s"


@dataclass(frozen=True, slots=True)
class ClauseRow:
    """The fields of one clause, drawn beside each other."""

    clause: Clause
    promise: Any
    floor: Any


@dataclass(frozen=True, slots=True)
class MilestoneRow:
    """The fields of one milestone; the last row is empty, for one more."""

    place: int
    fields: list[Any]
    is_new: bool


class TermsForm(forms.Form):
    """An offer to change; `offered` holds the terms once the form is valid."""

    text = forms.CharField(
        required=False,
        max_length=texts.MOST_BYTES,
        strip=False,
        label=_lazy("The pact’s whole text"),
        widget=forms.Textarea(attrs={"rows": 18, "class": "code", "spellcheck": "false"}),
        help_text=_lazy(
            "Add, drop or rewrite clauses in the pact language. It is checked like a pact that is "
            "published. Leave it as it is to change only the fields above."
        ),
    )
    max_revisions = forms.IntegerField(
        min_value=0, max_value=MOST_REVISIONS, label=_lazy("Revisions after a breach")
    )
    stands = forms.TypedChoiceField(
        choices=STANDS,
        coerce=int,
        label=_lazy("Your offer stands for"),
        help_text=_lazy(
            "The other side may answer up to the last moment; then the offer ends by itself."
        ),
    )
    note = forms.CharField(
        required=False,
        max_length=LONGEST_NOTE,
        label=_lazy("Note to the other side"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_lazy("Only the two of you read it. It is no part of what is signed."),
    )
    offered: OfferedTerms

    def __init__(
        self,
        data: Any = None,
        *,
        start: OfferedTerms,
        currency: str,
        tasks: Sequence[TaskSetVersion],
    ) -> None:
        initial = {
            "text": texts.write_yaml(start.pact),
            "max_revisions": start.max_revisions,
            "stands": USUAL_SECONDS,
        }
        super().__init__(data, initial=initial)
        self.start, self.currency = start, currency
        self.tasks = {one.pk: one for one in tasks}
        self._add_clauses()
        self._add_milestones()
        self._add_clocks()

    def _add_clauses(self) -> None:
        for clause in self.start.pact.clauses:
            for name, bps in (("promise", clause.promise_bps), ("floor", clause.floor_bps)):
                self.fields[f"{name}_{clause.key}"] = ShareField(
                    max_length=8,
                    initial=f"{bps / 100:g}",
                    label=_("Promised, in percent")
                    if name == "promise"
                    else _("Floor, in percent"),
                    widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 6}),
                )

    def _add_milestones(self) -> None:
        choices = [("", _("none"))] + [
            (pk, f"{one.task_set.name}, v{one.number}: {one.size}")
            for pk, one in self.tasks.items()
        ]
        self.rows = min(len(self.start.milestones) + 1, MOST_ROWS)
        for place in range(self.rows):
            given = self.start.milestones[place : place + 1]
            one = given[0] if given else None
            for name, field in self._milestone_fields(choices, one).items():
                self.fields[f"{name}_{place}"] = field

    def _milestone_fields(
        self, choices: list[tuple[str, str]], one: OfferedMilestone | None
    ) -> dict[str, forms.Field]:
        return {
            "tasks": forms.ChoiceField(
                required=False,
                choices=choices,
                initial=one.task_set_version if one else "",
                label=_("Tasks that decide"),
            ),
            "title": forms.CharField(
                required=False, max_length=120, initial=one.title if one else "", label=_("Title")
            ),
            "price": MoneyText(
                required=False,
                currency=self.currency,
                initial=decimal(one.amount, self.currency) if one else "",
                label=_("Price in %(currency)s") % {"currency": self.currency},
            ),
            "bond": MoneyText(
                required=False,
                currency=self.currency,
                initial=decimal(one.bond, self.currency) if one and one.bond else "",
                label=_("Builder’s bond"),
            ),
        }

    def _add_clocks(self) -> None:
        for name, seconds in asdict(self.start.timers).items():
            self.fields[name] = SpanField(
                max_length=16, initial=span_text(seconds), label=CLOCKS[name]
            )

    @property
    def clause_rows(self) -> list[ClauseRow]:
        return [
            ClauseRow(one, self[f"promise_{one.key}"], self[f"floor_{one.key}"])
            for one in self.start.pact.clauses
        ]

    @property
    def milestone_rows(self) -> list[MilestoneRow]:
        names = ("tasks", "title", "price", "bond")
        return [
            MilestoneRow(
                place,
                [self[f"{name}_{place}"] for name in names],
                place >= len(self.start.milestones),
            )
            for place in range(self.rows)
        ]

    @property
    def clocks(self) -> list[Any]:
        return [self[name] for name in CLOCKS]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:
            return data
        milestones, pact = self._milestones(data), self._pact(data)
        if self.errors or pact is None:
            return data
        self.offered = OfferedTerms(
            pact=pact,
            milestones=tuple(milestones),
            timers=Timers(**{name: data[name] for name in CLOCKS}),
            max_revisions=data["max_revisions"],
        )
        return data

    def _milestones(self, data: Mapping[str, Any]) -> list[OfferedMilestone]:
        found = []
        for place in range(self.rows):
            version = self.tasks.get(data[f"tasks_{place}"])
            if version is None:
                continue
            title = data[f"title_{place}"].strip()
            price, bond = data[f"price_{place}"], data[f"bond_{place}"]
            if not price:
                self.add_error(f"price_{place}", _("Write an amount above zero."))
            found.append(
                OfferedMilestone(
                    title=title or f"{version.task_set.name}: {version.size} tasks"[:120],
                    amount=price,
                    task_set_version=version.pk,
                    bond=bond,
                )
            )
        if not found:
            self.add_error("tasks_0", _("Choose the tasks of at least one milestone."))
        return found

    def _pact(self, data: Mapping[str, Any]) -> PactTerms | None:
        """The pact as the fields say it, or as its text does."""
        by_fields = self._by_fields(data)
        written = data["text"].replace("\r\n", "\n").strip()
        if not written or written == texts.write_yaml(self.start.pact).strip():
            return by_fields
        if by_fields is not self.start.pact:
            self.add_error(
                "text",
                _("You changed both the text and the fields above; say it in one of the two."),
            )
            return None
        try:
            return texts.read_terms(written)
        except terms.TermsError as error:
            self.add_error("text", str(error))
            return None

    def _by_fields(self, data: Mapping[str, Any]) -> PactTerms:
        pact = terms.to_json(self.start.pact)
        changed = False
        clauses = pact["clauses"]
        assert isinstance(clauses, list)
        for clause in clauses:
            assert isinstance(clause, dict)
            for name in ("promise", "floor"):
                said = data[f"{name}_{clause['key']}"]
                changed |= clause[f"{name}_bps"] != said
                clause[f"{name}_bps"] = said
        if not changed:
            return self.start.pact
        try:
            return terms.parse(pact)
        except terms.TermsError as error:
            self.add_error(None, str(error))
            return self.start.pact
