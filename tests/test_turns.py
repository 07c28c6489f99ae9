"""The order of a shared run holds only as long as it knows the files."""

from marketplace.local.folder import ROOT
from tests import turns


def test_what_starts_first_is_there() -> None:
    assert [place for place in turns.LONGEST if not (ROOT / place).exists()] == []


def test_the_longest_come_first_and_then_the_file_with_the_most_tests() -> None:
    sizes = {"tests/a.py": 1, "tests/b.py": 9, "tests/test_access.py": 5, "tests/browser/c.py": 1}
    assert sorted(sizes, key=lambda file: turns.place_of(file, sizes)) == [
        *("tests/browser/c.py", "tests/test_access.py", "tests/b.py", "tests/a.py")
    ]


def test_what_runs_an_event_loop_of_its_own_cannot_come_after_the_browser() -> None:
    """Both begin at once and so in two processes: Playwright leaves its loop running."""
    assert turns.LONGEST[:2] == ("tests/browser", "tests/pacts/guard")
    runs = "asyncio" + ".run("
    found = [path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py")]
    late = [
        str(path)
        for path in found
        if runs in (ROOT / path).read_text() and not path.is_relative_to(turns.LONGEST[1])
    ]
    assert late == []
