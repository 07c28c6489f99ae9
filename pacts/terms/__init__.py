"""The pact language, `earnest-pact/1`: what a builder promises, as typed and frozen values.

The canonical JSON of a pact holds integers only: rates, risks, budgets and weights are basis
points (`_bps`, 10000 = all). `parse` refuses anything it does not know, naming the place and the
cure; whether a pact that can be read is also worth signing is the linter's question (`pacts.lint`).
`pacts.texts` reads and writes it as JSON and YAML; `pacts.pact_schema` describes it to editors.
"""

from pacts.reading import TermsError
from pacts.terms.clause import WHOLE, Clause, OnUndetermined, Window, clause_from_json
from pacts.terms.pact import (
    INDEPENDENCE,
    INDEPENDENT,
    VERSION,
    FailureMode,
    Independence,
    PactTerms,
    Scope,
    Volume,
    canonical,
    digest,
    parse,
    suffices,
    to_json,
)

__all__ = [
    "INDEPENDENCE",
    "INDEPENDENT",
    "VERSION",
    "WHOLE",
    "Clause",
    "FailureMode",
    "Independence",
    "OnUndetermined",
    "PactTerms",
    "Scope",
    "TermsError",
    "Volume",
    "Window",
    "canonical",
    "clause_from_json",
    "digest",
    "parse",
    "suffices",
    "to_json",
]
