"""What a buyer tries, asks for and takes along, beside a market of everything else."""

from datetime import datetime, timedelta

from marketplace.exporting import packing
from marketplace.models import Listing
from marketplace.tryouts import bringing, starting
from pacts import asking, needs
from pacts.models import AgentVersion, PactVersion, TaskSetVersion
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


def needed(
    alice: cast.Actor, bob: cast.Actor, version: AgentVersion, asked_id: str, *, now: datetime
) -> dict[str, str]:
    """A need of alice's whose one offer, bob's, was opened."""
    then = now - timedelta(hours=2)
    need = needs.post(
        buyer=alice.party,
        draft=needs.NeedDraft(
            title="Numbers doubled",
            work="arithmetic",
            pact_version=PactVersion.objects.select_related("pact").get(pk=asked_id),
            ceiling=20_000,
            currency="EUR",
            offers_until=then + timedelta(hours=1),
            choose_until=then + timedelta(days=3),
        ),
        by=alice.user,
        now=then,
    )
    offer = needs.offer(
        need=need,
        builder=bob.party,
        agent_version=version,
        price=9_000,
        work_seconds=3_600,
        note="We double.",
        by=bob.user,
        now=then,
    )
    needs.reveal_due(now=now)
    return {"need": need.id, "sealed-offer": offer.id}


def packed(alice: cast.Actor, *, now: datetime) -> dict[str, str]:
    """An archive of everything alice has."""
    asked = packing.ask(party=alice.party, by=alice.user, now=now)
    packing.pack_next(now=now)
    return {"archive": asked.id}
