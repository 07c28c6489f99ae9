"""Asking the witnesses: each new head goes to every witness of the settings, through the egress."""

import logging
from datetime import datetime

from django.conf import settings

from marketplace.witness import place_of
from pacts.egress import Egress, EgressError, EgressPolicy, Reply
from reputation import notes, witnesses
from reputation.audit import SeenHead
from reputation.merkle import OutsideTree
from reputation.models import Checkpoint

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 5.0
_UNREADABLE = (
    *(EgressError, UnicodeDecodeError),
    *(notes.NoteMalformed, notes.SignatureUnknown, notes.SignatureWrong),
)


def way_out() -> Egress:
    """The egress under which witnesses are asked."""
    policy = EgressPolicy(
        allow_loopback=settings.EGRESS_ALLOW_LOOPBACK, deadline_seconds=DEADLINE_SECONDS
    )
    return Egress(policy)


def ask_all(*, egress: Egress, now: datetime) -> int:
    """Ask each witness about the newest head it has not cosigned; how many cosigned it."""
    return sum(
        _ask(witness, place, egress, now)
        for witness, place in witnesses.trusted_witnesses()
        if place
    )


def seen_by_witnesses(*, egress: Egress, origin: str, log_keys: list[notes.Vkey]) -> list[SeenHead]:
    """The head that each witness remembers of our log; one that cannot be asked is left out."""
    found = []
    for witness, place in witnesses.trusted_witnesses():
        if not place:
            continue
        try:
            reply = egress.get(f"{place.rstrip('/')}/{place_of(origin)}/checkpoint")
            head = notes.read_checkpoint(reply.body.decode(), log_keys)
        except _UNREADABLE as error:
            log.warning("the witness %s cannot be asked: %s", witness.name, error)
            continue
        found.append(SeenHead(head.size, head.root, f"witness {witness.name}"))
    return found


def _ask(witness: notes.Vkey, place: str, egress: Egress, now: datetime) -> bool:
    head = witnesses.uncosigned(witness=witness)
    if head is None:
        return False
    try:
        reply = _answer(witness, place, head, egress)
        if reply.status == 200:
            witnesses.accept(witness=witness, head=head, answer=reply.body.decode(), now=now)
            return True
        said = reply.headers.get("earnest-reason") or reply.body.decode(errors="replace").strip()
        reason = f"{reply.status} {said}"
    except (EgressError, OutsideTree, witnesses.CosignatureWrong, UnicodeDecodeError) as error:
        reason = str(error)
    log.warning("the witness %s did not cosign %s: %s", witness.name, head.size, reason)
    witnesses.refuse(witness=witness, head=head, reason=reason, now=now)
    return False


def _answer(witness: notes.Vkey, place: str, head: Checkpoint, egress: Egress) -> Reply:
    """The witness's answer, asked once more where it has seen another size than we remember."""
    old = witnesses.cosigned_size(witness=witness)
    url = f"{place.rstrip('/')}/add-checkpoint"
    reply = egress.post(url, body=witnesses.request_for(head=head, old=old))
    size = reply.body.decode(errors="replace").strip()
    conflict = reply.status == 409 and size.isdecimal() and int(size) != old
    if not conflict:
        return reply
    return egress.post(url, body=witnesses.request_for(head=head, old=int(size)))
