"""Proofs about the stored log: that a fact is in it, and that a later head contains an earlier."""

from collections.abc import Sequence
from dataclasses import dataclass

from reputation import checkpoints, merkle, notes, tiles
from reputation.models import Checkpoint, LogEntry


class NotYetProvable(LookupError):
    """The evidence is not in the log yet, or no signed head covers it; a few seconds help."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an entry is at `index` below a signed head; `hashes` lead from it to the root."""

    evidence_id: str
    index: int
    hashes: tuple[bytes, ...]


def inclusion(*, index: int, size: int) -> list[bytes]:
    """RFC 6962 inclusion proof in the tree of `size`. Raises OutsideTree or HashesMissing."""
    return merkle.inclusion_proof(index=index, size=size, read=tiles.read)


def consistency(*, old: int, new: int) -> list[bytes]:
    """RFC 6962 consistency proof between two sizes. Raises OutsideTree or HashesMissing."""
    return merkle.consistency_proof(old=old, new=new, read=tiles.read)


def inclusions(*, evidence_ids: Sequence[str], under: Checkpoint) -> dict[str, Inclusion]:
    """A proof for each piece of evidence that the head covers, by id."""
    entries = LogEntry.objects.filter(evidence_id__in=evidence_ids, index__lt=under.size)
    read = tiles.remembering(size=under.size)
    return {
        evidence_id: Inclusion(
            evidence_id,
            index,
            tuple(merkle.inclusion_proof(index=index, size=under.size, read=read)),
        )
        for evidence_id, index in entries.order_by("index").values_list("evidence_id", "index")
    }


def tlog_proof(*, evidence_id: str) -> notes.TlogProof:
    """The proof of one piece of evidence below the newest head (C2SP tlog-proof).

    Raises NotYetProvable.
    """
    head = checkpoints.newest()
    found = head and inclusions(evidence_ids=[evidence_id], under=head).get(evidence_id)
    if not head or not found:
        raise NotYetProvable(f"no signed head of the log covers {evidence_id} yet")
    return notes.TlogProof(found.index, found.hashes, checkpoints.text_of(head))
