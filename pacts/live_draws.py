"""Which production calls go to juries and people: a draw committed to before the first call.

Each stream has a seed that nobody outside knows. Its commitment is in the log, with the share of
every clause that a panel decides, before any call of the stream is stored; a call is drawn by the
seed, the clause and its own id. When no more calls come the seed is opened, and anybody can draw
again. Whoever makes up call ids therefore cannot steer who is read.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from pacts import terms
from pacts.judges.sampling import is_call_drawn
from pacts.live import asks_panel, drawn_bps, read_bps, why_not_live
from pacts.models import CallHearing, CallStream, Engagement, ReviewBatch, WaitingCall
from pacts.terms import Clause, PactTerms
from reputation import evidence

COMMITTED, OPENED = "calls.draw_committed", "calls.draw_opened"


def is_drawn_for(clause: Clause, seed: bytes, call_id: bytes) -> bool:
    """Whether a call goes to the clause's jury, or to people where they alone decide it."""
    return is_call_drawn(
        seed=seed,
        call_id=call_id,
        draw=f"heard:{clause.key}",
        probability_bps=drawn_bps(clause),
    )


def is_read_by_people(clause: Clause, seed: bytes, call_id: bytes) -> bool:
    """Whether people read a call that was drawn for the clause."""
    return is_call_drawn(
        seed=seed, call_id=call_id, draw=f"read:{clause.key}", probability_bps=read_bps(clause)
    )


def panel_of(parsed: PactTerms) -> tuple[Clause, ...]:
    """The clauses that a jury or people decide on production calls."""
    return tuple(c for c in parsed.clauses if asks_panel(c) and why_not_live(c) is None)


def commit_draws(*, stream: CallStream, subjects: Mapping[str, str], now: datetime) -> None:
    """Say in the log what will be drawn, in the transaction that opens the stream."""
    for clause in panel_of(terms.parse(stream.engagement.pact_version.terms)):
        evidence.append(
            kind=COMMITTED,
            subjects=subjects,
            facts={
                "clause": clause.key,
                "drawn_bps": drawn_bps(clause),
                "read_bps": read_bps(clause),
            },
            digests={"commitment": stream.commitment},
            at=now,
        )


def due(*, now: datetime, limit: int = 50) -> list[str]:
    """Streams with a draw that nothing more comes to."""
    busy = CallHearing.objects.filter(stream=OuterRef("pk"), closed_at=None)
    waiting = WaitingCall.objects.filter(stream=OuterRef("pk"))
    rows = CallStream.objects.exclude(engagement__state=Engagement.State.ACTIVE)
    rows = rows.filter(seed_opened_at=None, hearings__isnull=False).distinct()
    found = rows.exclude(Exists(busy)).exclude(Exists(waiting))
    return list(found.values_list("pk", flat=True)[:limit])


def open_seed(*, stream_id: str, now: datetime) -> None:
    """Open the commitment of a stream's draws, once."""
    with transaction.atomic():
        stream = CallStream.objects.select_for_update(of=("self",)).get(pk=stream_id)
        if stream.seed_opened_at is not None:
            return
        evidence.append(
            kind=OPENED,
            subjects={"stream": stream.pk, "engagement": stream.engagement_id},
            facts={"seed": bytes(stream.seed).hex(), "drawn": stream.hearings.count()},
            at=now,
        )
        stream.seed_opened_at = now
        stream.save(update_fields=["seed_opened_at"])
        ReviewBatch.objects.filter(stream=stream, drawn_at=None).update(drawn_at=now)
