"""The README of an archive: what each file is, and how to check that nothing was changed."""

from collections.abc import Sequence
from datetime import datetime

from marketplace.exporting.contents import Table
from pacts.models import Party

_HOW = """\
## How to check it

- `manifest.json` has the size and the SHA-256 of every other file.
- `evidence/*.json` hold the public log's entries about you with their proofs. `python3 verify.py
  evidence/FILE.json` checks them offline, with nothing but Python; give it the log's key with
  `--key` if you wrote it down earlier.
- `evaluations/*.json` hold a run whole: tasks, answers, checks and the verdict.
  `manage.py evaluation verify FILE` makes the verdict again from them.
- `receipts/*.json` hold each receipt's body with the platform's Ed25519 signature
  over its format, a line feed, `sha256:` with the hex digest of the body, and a line feed.

CSV files are the same rows as the JSON Lines beside them, with an apostrophe in front of whatever
a spreadsheet would run as a formula. Amounts are minor units; shares are basis points; times are
UTC. What somebody else alone may read is not in here: the other side's task sets and answers of
its runs, sealed offers of others, and what was erased.
"""


def readme(*, party: Party, at: datetime, tables: Sequence[Table]) -> str:
    """Markdown, for people."""
    listed = "\n".join(f"- `data/{one.name}`: {one.about}" for one in tables)
    return (
        f"# Everything of {party.name}\n\nAsked for on {at:%-d %B %Y at %H:%M} UTC, "
        f"party `{party.pk}`.\n\n## What is in it\n\n{listed}\n"
        "- `data/call_contents`: what was said in calls you reported, while it is kept.\n"
        "- `money/statement.csv`: every movement of your balances.\n"
        "- `receipts/`, `evaluations/`, `evidence/`: documents that can be checked.\n\n"
        f"{_HOW}"
    )
