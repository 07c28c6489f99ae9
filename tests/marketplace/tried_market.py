"""What a buyer tries, asks for and takes along, beside a market of everything else."""

from datetime import datetime

from marketplace.models import Listing
from marketplace.tryouts import bringing, starting
from pacts import asking
from pacts.models import TaskSetVersion
from tests import cast


def tried(
    alice: cast.Actor, listing: Listing, tasks: TaskSetVersion, *, now: datetime
) -> dict[str, str]:
    """A table whose columns wait, a pact alice asks for, and a tryout under it."""
    sheet = bringing.bring(
        party=alice.party,
        name="Sums",
        work="arithmetic",
        data="number,answer\n1,2\nx,y\n",
        by=alice.user,
        now=now,
    )
    asked = asking.ask(
        buyer=alice.party,
        data=cast.pact_terms(title="What alice asks for"),
        by=alice.user,
        authority="member:owner",
        now=now,
    )
    made = starting.start(
        party=alice.party,
        listings=[listing],
        task_set_version=tasks,
        pact_version=asked,
        by=alice.user,
        now=now,
    )
    return {"task-sheet": sheet.id, "asked-pact": asked.id, "tryout": made.id}
