"""What an agent can be tried with before anybody hires it: a suite of our own, typed by attack."""

from pacts.adversity.changes import Place, asked
from pacts.adversity.grading import Grade, Outcome, grade
from pacts.adversity.planning import Planned, plan
from pacts.adversity.suite import FAMILIES, SUITE, VERSION, Adversity, adversity, suite_digest

__all__ = [
    "FAMILIES",
    "SUITE",
    "VERSION",
    "Adversity",
    "Grade",
    "Outcome",
    "Place",
    "Planned",
    "adversity",
    "asked",
    "grade",
    "plan",
    "suite_digest",
]
