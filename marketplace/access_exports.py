"""Rows of the access table about taking along: everything is for the owners of a party alone."""

from marketplace.access_rules import OWNERS, OWNERS_READ, READERS_PAGE, Table

API: Table = {
    "api:archives": {"GET": OWNERS_READ, "POST": OWNERS},
    "api:archive": {"GET": OWNERS_READ},
    "api:archive-content": {"GET": OWNERS_READ},
}

PAGES: Table = {
    "archives": {"GET": OWNERS_READ, "POST": OWNERS},
    "archive_zip": {"GET": OWNERS_READ},
    "task_set_lines": READERS_PAGE,
    "tryout_csv": READERS_PAGE,
}
