"""Rows of the access table about metered hires: who sets money aside, stops it, and decides."""

from marketplace.access_rules import (
    ADJUDICATORS,
    CASE_READERS,
    DEALERS,
    READERS,
    READERS_PAGE,
    TREASURERS,
    Table,
)

API: Table = {
    "api:meters": {"GET": READERS, "POST": DEALERS},
    "api:meter": {"GET": READERS},
    "api:meter-funding": {"POST": TREASURERS},
    "api:meter-top-up": {"POST": TREASURERS},
    "api:meter-pause": {"POST": DEALERS},
    "api:meter-resumption": {"POST": DEALERS},
    "api:meter-waiver": {"POST": TREASURERS},
    "api:meter-ending": {"POST": DEALERS},
    "api:meter-windows": {"GET": CASE_READERS},
    "api:meter-window": {"GET": CASE_READERS},
    "api:meter-window-acceptance": {"POST": TREASURERS},
    "api:meter-window-ruling": {"POST": ADJUDICATORS},
    "api:meter-statements": {"GET": CASE_READERS},
    "api:meter-statement": {"GET": CASE_READERS},
    "api:meter-statement-paper": {"GET": CASE_READERS},
}

PAGES: Table = {
    "meters": READERS_PAGE,
    "meter_new": {"GET": DEALERS, "POST": DEALERS},
    "meter": READERS_PAGE,
    "meter_funding": {"POST": TREASURERS},
    "meter_top_up": {"POST": TREASURERS},
    "meter_pause": {"POST": DEALERS},
    "meter_resumption": {"POST": DEALERS},
    "meter_waiver": {"POST": TREASURERS},
    "meter_ending": {"POST": DEALERS},
    "meter_window": {"GET": CASE_READERS},
    "meter_window_acceptance": {"POST": TREASURERS},
    "meter_window_ruling": {"POST": ADJUDICATORS},
    "meter_statement_json": {"GET": CASE_READERS},
    "meter_statement_pdf": {"GET": CASE_READERS},
}
