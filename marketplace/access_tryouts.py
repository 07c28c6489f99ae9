"""Rows of the access table about bringing tasks and trying several agents at once."""

from marketplace.access_rules import EDITORS, READERS, READERS_PAGE, TREASURERS, Table

API: Table = {
    "api:task-sheets": {"GET": READERS, "POST": EDITORS},
    "api:task-sheet": {"GET": READERS},
    "api:task-sheet-preview": {"POST": EDITORS},
    "api:task-sheet-set": {"POST": EDITORS},
    "api:asked-pacts": {"GET": READERS, "POST": EDITORS},
    "api:tryouts": {"GET": READERS, "POST": EDITORS},
    "api:tryout-hires": {"POST": TREASURERS},
    "api:tryout-forecasts": {"POST": EDITORS},
    "api:tryout": {"GET": READERS},
    "api:tryout-tasks": {"GET": READERS},
    "api:tryout-cancellation": {"POST": EDITORS},
}

PAGES: Table = {
    "task_sheet_new": {"GET": EDITORS, "POST": EDITORS},
    "task_sheet": {"GET": EDITORS, "POST": EDITORS},
    "asked_pacts": READERS_PAGE,
    "asked_pact_new": {"GET": EDITORS, "POST": EDITORS},
    "asked_pact": READERS_PAGE,
    "tryouts": READERS_PAGE,
    "tryout_new": {"GET": EDITORS, "POST": EDITORS},
    # A hire promises money and this one sets it aside at once.
    "tryout_hires": {"POST": TREASURERS},
    "tryout": READERS_PAGE,
    "tryout_live": READERS_PAGE,
    "tryout_tasks": READERS_PAGE,
    "tryout_cancellation": {"POST": EDITORS},
}
