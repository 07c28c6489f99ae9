"""The checks a clause may name: what each means, and the fixtures that prove it."""

import json
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from pacts.checks import CHECKS
from pacts.checks.catalogue import published

Span = tuple[bool, str]  # whether it is code, and its text


@dataclass(frozen=True, slots=True)
class Proof:
    """One fixture as the page shows it."""

    outcome: str
    reason: str
    params: str
    call: str


def checks(request: HttpRequest) -> HttpResponse:
    """Every kind, with the first sentence of its meaning."""
    kinds = [
        {"kind": check.kind, "title": check.title, "says": spans(_promise(check.meaning))}
        for check in CHECKS.values()
    ]
    return render(request, "checks/checks.html", {"kinds": kinds})


def check(request: HttpRequest, kind: str) -> HttpResponse:
    """One kind, whole."""
    if kind not in CHECKS:
        raise Http404
    found = published(CHECKS[kind])
    context = {
        "check": found,
        "says": spans(_promise(CHECKS[kind].meaning)),
        "paragraphs": [spans(text) for text in CHECKS[kind].meaning.split("\n\n")[1:]],
        "schema": _pretty(found["params_schema"]),
        "proofs": [*_proofs("pass", found["passes"]), *_proofs("fail", found["fails"])],
        "refused": [(_pretty(one["params"]), one["why"]) for one in _listed(found["refused"])],
    }
    return render(request, "checks/check.html", context)


def spans(text: str) -> list[Span]:
    """Prose with code between backticks, taken apart."""
    joined = " ".join(text.split())
    return [(bool(i % 2), part) for i, part in enumerate(joined.split("`")) if part]


def _promise(meaning: str) -> str:
    """The first paragraph without the name in front."""
    promise = meaning.split("\n\n")[0].partition(": ")[2]
    return promise[:1].upper() + promise[1:]


def _proofs(outcome: str, fixtures: Any) -> list[Proof]:
    return [
        Proof(outcome, one["reason"], _pretty(one["params"]), _pretty(one["call"]))
        for one in _listed(fixtures)
    ]


def _listed(value: Any) -> list[dict[str, Any]]:
    return list(value)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
