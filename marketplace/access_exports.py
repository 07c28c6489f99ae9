"""Rows of the access table about taking everything along: the owners of a party, nobody else."""

from marketplace.access_rules import OWNERS, OWNERS_READ, Table

API: Table = {
    "api:archives": {"GET": OWNERS_READ, "POST": OWNERS},
    "api:archive": {"GET": OWNERS_READ},
    "api:archive-content": {"GET": OWNERS_READ},
}

PAGES: Table = {
    "archives": {"GET": OWNERS_READ, "POST": OWNERS},
    "archive_zip": {"GET": OWNERS_READ},
}
