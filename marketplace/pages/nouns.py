"""What pages count, each with its forms: catalogues give every language its own."""

from typing import NamedTuple

from django.utils.translation import ngettext


class Forms(NamedTuple):
    """A counted noun; `%(n)s` stands for the number as people write it."""

    one: str
    many: str


def counted(one: str, many: str) -> Forms:
    """A row of the tables below; catalogues are filled from calls of this name."""
    return Forms(one, many)


def written(forms: Forms, number: int, shown: str) -> str:
    """The noun with its number, in the visitor's language."""
    return ngettext(forms.one, forms.many, number) % {"n": shown}


def one(noun: str) -> str:
    """A noun of the table without a number: `task`; a stranger's stays as it is."""
    forms = NOUNS.get(noun)
    return written(forms, 1, "").strip() if forms else noun


def many(noun: str) -> str:
    """The same for several: `tasks`."""
    forms = NOUNS.get(noun)
    return written(forms, 2, "").strip() if forms else f"{noun}s"


NOUNS = {
    "agent": counted("%(n)s agent", "%(n)s agents"),
    "answer": counted("%(n)s answer", "%(n)s answers"),
    "business day": counted("%(n)s business day", "%(n)s business days"),
    "buyer": counted("%(n)s buyer", "%(n)s buyers"),
    "call": counted("%(n)s call", "%(n)s calls"),
    "change": counted("%(n)s change", "%(n)s changes"),
    "clause": counted("%(n)s clause", "%(n)s clauses"),
    "contradiction": counted("%(n)s contradiction", "%(n)s contradictions"),
    "counting verdict": counted("%(n)s verdict that counts", "%(n)s verdicts that count"),
    "day": counted("%(n)s day", "%(n)s days"),
    "dispute": counted("%(n)s dispute", "%(n)s disputes"),
    "error": counted("%(n)s error", "%(n)s errors"),
    "evaluation": counted("%(n)s evaluation", "%(n)s evaluations"),
    "expert": counted("%(n)s expert", "%(n)s experts"),
    "failing case": counted("%(n)s failing case", "%(n)s failing cases"),
    "hire": counted("%(n)s hire", "%(n)s hires"),
    "hour": counted("%(n)s hour", "%(n)s hours"),
    "judge": counted("%(n)s judge", "%(n)s judges"),
    "label": counted("%(n)s label", "%(n)s labels"),
    "milestone": counted("%(n)s milestone", "%(n)s milestones"),
    "minute": counted("%(n)s minute", "%(n)s minutes"),
    "offer": counted("%(n)s offer", "%(n)s offers"),
    "other": counted("%(n)s other", "%(n)s others"),
    "pair": counted("%(n)s pair", "%(n)s pairs"),
    "precedent": counted("%(n)s precedent", "%(n)s precedents"),
    "revision": counted("%(n)s revision", "%(n)s revisions"),
    "rewording": counted("%(n)s rewording", "%(n)s rewordings"),
    "ruling": counted("%(n)s ruling", "%(n)s rulings"),
    "second": counted("%(n)s second", "%(n)s seconds"),
    "session": counted("%(n)s session", "%(n)s sessions"),
    "settled hire": counted("%(n)s settled hire", "%(n)s settled hires"),
    "task": counted("%(n)s task", "%(n)s tasks"),
    "trial": counted("%(n)s trial", "%(n)s trials"),
    "unit": counted("%(n)s unit", "%(n)s units"),
    "verdict": counted("%(n)s verdict", "%(n)s verdicts"),
    "verified call": counted("%(n)s verified call", "%(n)s verified calls"),
    "violation": counted("%(n)s violation", "%(n)s violations"),
    "window": counted("%(n)s window", "%(n)s windows"),
    "word": counted("%(n)s word", "%(n)s words"),
}

AGO = {
    "day": counted("%(n)s day ago", "%(n)s days ago"),
    "hour": counted("%(n)s hour ago", "%(n)s hours ago"),
    "minute": counted("%(n)s minute ago", "%(n)s minutes ago"),
    "second": counted("%(n)s second ago", "%(n)s seconds ago"),
}
