"""Settlement hears what the floor below announces; a name nobody hears would be lost quietly."""

import re
from pathlib import Path

from marketplace.celery import app

ROOT = Path(__file__).parents[2]


def test_every_hint_in_the_code_names_a_task_that_exists() -> None:
    app.finalize()
    floors = ("reputation", "pacts", "settlement", "marketplace")
    hinted = {
        name
        for floor in floors
        for path in (ROOT / floor).rglob("*.py")
        for name in re.findall(r'\bhint\(\s*"([^"]+)"', path.read_text())
    }
    assert hinted
    assert hinted <= set(app.tasks)


def test_no_floor_hints_at_a_task_of_a_floor_above() -> None:
    above = {"reputation": ("pacts.", "settlement.", "marketplace."), "pacts": ("settlement.",)}
    for floor, names in above.items():
        for path in (ROOT / floor).rglob("*.py"):
            for name in re.findall(r'\bhint\(\s*"([^"]+)"', path.read_text()):
                assert not name.startswith(names), f"{path} hints at {name}"
