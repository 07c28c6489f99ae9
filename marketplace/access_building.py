"""Rows of the access table about what builders do before and after they are hired."""

from marketplace.access_rules import FOUNDERS, READERS, Table

API: Table = {
    "api:pact-forecasts": {"POST": FOUNDERS},
}

PAGES: Table = {
    "pact_forecast": {"GET": READERS},
}
