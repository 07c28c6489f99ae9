"""One sample task, and the digest that shows that two machines made the same ones."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class SampleTask:
    """`input` goes to the agent; `expected` holds the right value of the kind's main field.

    A task with `in_scope` false has no right answer but to decline: its expected value is None.
    """

    input: dict[str, Any]
    expected: dict[str, Any]
    stratum: str
    in_scope: bool


def compute_digest(tasks: Sequence[SampleTask]) -> str:
    """SHA-256 in hex over the tasks in order, as JSON with sorted keys."""
    text = json.dumps([asdict(task) for task in tasks], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
