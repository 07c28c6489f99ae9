"""Rows of the access table about finding agents, and the searches that people keep."""

from marketplace.access_rules import FOUNDERS, PUBLIC, USERS, Table

API: Table = {
    "api:search": {"GET": PUBLIC},
    "api:saved-searches": {"GET": USERS, "POST": FOUNDERS},
    "api:saved-search": {"GET": USERS, "PATCH": FOUNDERS, "DELETE": FOUNDERS},
    "api:search-changes": {"GET": USERS},
    "api:search-sight": {"PUT": FOUNDERS},
}

PAGES: Table = {
    "searches": {"GET": USERS},
    "search_new": {"POST": FOUNDERS},
    "search": {"GET": USERS},
    "search_name": {"POST": FOUNDERS},
    "search_end": {"POST": FOUNDERS},
}
