"""Why a clause of a verdict came out as it did, as pages write it.

A verdict keeps its reason as one English sentence, which is part of its record and never changes.
Here the sentence is read back into its numbers and said in the visitor's language, with shares
written as everywhere else. What has another form is said as it stands.
"""

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from marketplace import labels
from marketplace.pages import wording

_SHARE = r"([0-9.]+)%"
_SEEN = re.compile(
    rf"([0-9.e+]+) of ([0-9]+) (call|task|session)s? \({_SHARE}\)"
    rf"(?:, somewhere from {_SHARE} to {_SHARE},)? against a promise of {_SHARE}"
    rf"(?: and a floor of {_SHARE})?: ([^.]+)\."
)
_NOTHING = re.compile(r"No (call|task|session) decided anything: ([^.]+)\.")
_CHECKED = re.compile(r"([0-9]+) of ([0-9]+) units were checked: ([^.]+)\.")
_REPEATED = re.compile(
    rf" ?Over ([0-9]+) tasks(?:, ([0-9]+) null)?: pass@([0-9]+) {_SHARE}, pass\^[0-9]+ {_SHARE}\."
)
_NONE = {
    "call": _lazy("No call decided anything: %(why)s."),
    "task": _lazy("No task decided anything: %(why)s."),
    "session": _lazy("No session decided anything: %(why)s."),
}


def said(reason: str) -> str:
    """The reason in the language of the moment."""
    first, rest = _first(reason)
    parts = [first, *(_repeated(found) for found in _REPEATED.finditer(rest))]
    return " ".join(part for part in parts if part)


def _first(reason: str) -> tuple[str, str]:
    """The sentence about the units, and what follows it."""
    if found := _SEEN.match(reason):
        return _seen(found), reason[found.end() :]
    if found := _NOTHING.match(reason):
        return _NONE[found[1]] % {"why": labels.said(found[2])}, reason[found.end() :]
    if found := _CHECKED.match(reason):
        words = {
            "checked": wording.count(int(found[1])),
            "units": wording.plural(int(found[2]), "unit"),
            "why": labels.said(found[3]),
        }
        whole = _("%(checked)s of %(units)s were checked: %(why)s.") % words
        return whole, reason[found.end() :]
    return labels.said(reason), ""


def _seen(found: re.Match[str]) -> str:
    passed, units, unit, rate, low, high, promise, floor, why = found.groups()
    words = {
        "passed": wording.local(passed),
        "units": wording.plural(int(units), unit),
        "rate": _share(rate, digits=1),
        "low": _share(low, digits=1),
        "high": _share(high, digits=1),
        "promise": _share(promise),
        "floor": _share(floor),
        "why": labels.said(why),
    }
    if low is None:
        return _("%(passed)s of %(units)s (%(rate)s), promised %(promise)s: %(why)s.") % words
    return (
        _(
            "%(passed)s of %(units)s (%(rate)s), somewhere from %(low)s to %(high)s, against a"
            " promise of %(promise)s and a floor of %(floor)s: %(why)s."
        )
        % words
    )


def _repeated(found: re.Match[str]) -> str:
    tasks, nulls, tries, once, always = found.groups()
    sentence = _(
        "Over %(tasks)s, one of %(tries)s tries at least is right in %(once)s, every one in"
        " %(always)s."
    ) % {
        "tasks": wording.plural(int(tasks), "task"),
        "tries": tries,
        "once": _share(once, digits=1),
        "always": _share(always, digits=1),
    }
    if not nulls:
        return sentence
    came = _("%(tasks)s came to nothing.") % {"tasks": wording.plural(int(nulls), "task")}
    return f"{sentence} {came}"


def _share(text: str | None, *, digits: int | None = None) -> str:
    return wording.percent(None if text is None else round(float(text) * 100), digits=digits)
