"""A search that alice keeps, for tests that walk every address."""

from datetime import datetime

from marketplace.finding import Search
from marketplace.searches import saving
from tests import cast


def kept_search(alice: cast.Actor, *, now: datetime) -> str:
    """The id of a search of alice's for doublers."""
    return saving.save(user=alice.user, name="Doublers", search=Search(text="doub"), now=now).pk
