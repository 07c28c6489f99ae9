"""Which variants of its tasks a pact's clauses ask for, all together."""

from collections.abc import Iterable

from pacts.checks import CHECKS
from pacts.terms import Clause
from pacts.variants import VariantPlan, plan_of


def plan_for(clauses: Iterable[Clause]) -> VariantPlan:
    """The plan of these clauses; a check nobody knows asks for nothing."""
    known = ((clause, CHECKS.get(clause.check)) for clause in clauses)
    return plan_of(
        (clause.key, check.varies(clause.params) if check else None) for clause, check in known
    )
