"""A pytest plugin: who runs what, when several processes share the tests.

What a file starts, its tests share, so they stay together; so do the files for whom a whole Earnest
and a browser are started. What lasts longest comes first: a process that ends with it would leave
the others idle.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

# Minutes each, where the rest are seconds; the rest follow, the file with the most tests first.
LONGEST = (
    "tests/browser",
    # Event loops of its own, which a process that had a browser cannot run: so it is another's.
    "tests/pacts/guard",
    "tests/faults",
    "tests/marketplace/local/test_up.py",
    "tests/test_access.py",
)


class LongestFirst(LoadFileScheduling):
    """Hands out files, the longest first, and a folder at a time where one stack serves it."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return next((place for place in LONGEST if f"{file}/".startswith(f"{place}/")), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LongestFirst | None:
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # it hands out in the order it is given
    return LongestFirst(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a process of several, put what lasts longest first; every one of them sorts alike."""
    if not hasattr(config, "workerinput"):
        return
    sizes: dict[str, int] = {}
    for item in items:
        sizes[file_of(item)] = sizes.get(file_of(item), 0) + 1
    items.sort(key=lambda item: place_of(file_of(item), sizes))


def file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def place_of(file: str, sizes: dict[str, int]) -> tuple[int, int, str]:
    """Where a file stands: among the longest by name, as in a run of its folder alone; else behind
    them all by how many tests it has."""
    for turn, place in enumerate(LONGEST):
        if f"{file}/".startswith(f"{place}/"):
            return turn, 0, file
    return len(LONGEST), -sizes[file], file
