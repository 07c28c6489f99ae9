"""Who cosigns our heads: the witnesses the settings name, and what they answered.

What is asked of a witness and how its answer counts is here; the asking is the roof's.
"""

import base64
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from reputation import checkpoints, notes, proofs
from reputation.models import Checkpoint, Cosignature, WitnessAnswer


class CosignatureWrong(ValueError):
    """The answer holds no valid cosignature of the witness under the head it was asked about."""


def trusted_witnesses() -> list[tuple[notes.Vkey, str]]:
    """Each witness of the settings with its submission prefix (empty: it is never asked)."""
    return [
        (notes.read_vkey(vkey), place[0] if place else "")
        for vkey, *place in settings.LOG_WITNESSES
    ]


def uncosigned(*, witness: notes.Vkey) -> Checkpoint | None:
    """The newest head, unless the witness has cosigned it."""
    head = checkpoints.newest()
    if head is None or head.cosignatures.filter(witness=witness.name).exists():
        return None
    return head


def cosigned_size(*, witness: notes.Vkey) -> int:
    """The size of the largest head of ours that the witness cosigned; 0 for none."""
    rows = Cosignature.objects.filter(witness=witness.name).order_by("-checkpoint_id")
    return rows.values_list("checkpoint_id", flat=True).first() or 0


def request_for(*, head: Checkpoint, old: int) -> bytes:
    """The body of an `add-checkpoint` request (C2SP tlog-witness).

    Raises OutsideTree where the witness claims to have seen more than there is.
    """
    steps = proofs.consistency(old=old, new=head.size)
    lines = [f"old {old}", *(base64.b64encode(step).decode() for step in steps)]
    return ("\n".join(lines) + f"\n\n{head.note}").encode()


def accept(*, witness: notes.Vkey, head: Checkpoint, answer: str, now: datetime) -> Cosignature:
    """Keep a witness's cosignature of a head. Raises CosignatureWrong."""
    try:
        lines = [notes.read_signature(line) for line in answer.splitlines()]
        mine = [line for line in lines if (line.name, line.key_id) == (witness.name, witness.id)]
        text = notes.read_note(head.note).text
        notes.verified(notes.Note(text, tuple(mine)), [witness])
    except (notes.NoteMalformed, notes.SignatureUnknown, notes.SignatureWrong) as error:
        raise CosignatureWrong(f"{witness.name}: {error}") from error
    with transaction.atomic():
        kept, _ = Cosignature.objects.get_or_create(
            checkpoint=head,
            witness=witness.name,
            defaults={
                "line": str(mine[0]),
                "cosigned_at": datetime.fromtimestamp(notes.cosigned_at(mine[0]), UTC),
            },
        )
        _note(witness, head, accepted=True, reason="", now=now)
    return kept


def refuse(*, witness: notes.Vkey, head: Checkpoint, reason: str, now: datetime) -> None:
    """Write down that a witness did not cosign, and why it said so."""
    _note(witness, head, accepted=False, reason=reason[:300], now=now)


def answers() -> dict[str, WitnessAnswer]:
    """What each trusted witness last answered, by its name; a silent one is not listed."""
    names = [key.name for key, _ in trusted_witnesses()]
    return {row.witness: row for row in WitnessAnswer.objects.filter(witness__in=names)}


def _note(
    witness: notes.Vkey, head: Checkpoint, *, accepted: bool, reason: str, now: datetime
) -> None:
    WitnessAnswer.objects.update_or_create(
        witness=witness.name,
        defaults={
            "size": head.size,
            "accepted": accepted,
            "reason": reason,
            "answered_at": now,
        },
    )
