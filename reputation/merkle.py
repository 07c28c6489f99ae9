"""The Merkle tree of RFC 6962 (SHA-256): roots, proofs, and what verifies them.

Hashes are 32 bytes; many of them are one run of bytes. A tree is read in `Span`s of its 8-level
tiles (C2SP tlog-tiles): whoever holds the tiles can make every proof.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
TILE_WIDTH = 256
TILE_BYTES = TILE_WIDTH * HASH_BYTES
TILE_HEIGHT = 8
EMPTY_ROOT = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256


class ProofInvalid(ValueError):
    """The proof does not lead from what is claimed to the root."""


class OutsideTree(ValueError):
    """An index or a size beyond the tree it is asked of."""


@dataclass(frozen=True, slots=True)
class Span:
    """`count` consecutive hashes of one tile row: each covers 256^level leaves."""

    level: int
    first: int
    count: int


# Answers every span with its hashes, one run of 32 · count bytes each.
Reader = Callable[[Sequence[Span]], Sequence[bytes]]


def leaf_hash(data: bytes) -> bytes:
    """Of one entry: SHA-256(0x00 ‖ data)."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Of two neighbours: SHA-256(0x01 ‖ left ‖ right)."""
    return _sha256(b"\x01" + left + right).digest()


def root_of(hashes: bytes) -> bytes:
    """The tree hash over a run of leaf hashes (or of roots of equally large perfect trees)."""
    if not hashes:
        return EMPTY_ROOT
    while len(hashes) > HASH_BYTES:
        # An odd last node moves up as it is: that is RFC 6962's split at powers of two.
        even = len(hashes) // 64 * 64
        pairs = [_sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, even, 64)]
        hashes = b"".join(pairs) + hashes[even:]
    return hashes


def root_at(*, size: int, read: Reader) -> bytes:
    """The root of the first `size` leaves."""
    return _ranges([(0, size)], read)[0] if size else EMPTY_ROOT


def inclusion_proof(*, index: int, size: int, read: Reader) -> list[bytes]:
    """RFC 6962 2.1.1: from the leaf's sibling up to the child of the root. Raises OutsideTree."""
    if not 0 <= index < size:
        raise OutsideTree(f"there is no leaf {index} in a tree of {size}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return _ranges(path[::-1], read)


def consistency_proof(*, old: int, new: int, read: Reader) -> list[bytes]:
    """RFC 6962 2.1.2: that a tree of `new` begins with that of `old`. Raises OutsideTree.

    Empty where nothing needs proof: from size 0, and from a size to itself.
    """
    if not 0 <= old <= new:
        raise OutsideTree(f"a tree of {new} does not contain one of {old}")
    start, end, path = 0, new, []
    whole = True
    while 0 < old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, whole = middle, False
    if not whole:
        path.append((start, end))
    return _ranges(path[::-1], read)


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """RFC 9162 2.1.3.2. Raises ProofInvalid unless the leaf is at `index` below `root`."""
    if not 0 <= index < size:
        raise ProofInvalid(f"there is no leaf {index} in a tree of {size}")
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if at & 1 or at == last:
            found = node_hash(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is too short")
    if found != root:
        raise ProofInvalid(f"leaf {index} does not lead to the root of {size}")


def verify_consistency(
    *, old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """RFC 9162 2.1.4.2. Raises ProofInvalid unless the new tree begins with the old one."""
    if not 0 <= old <= new:
        raise ProofInvalid(f"a tree of {new} does not contain one of {old}")
    if old in (0, new):
        if proof:
            raise ProofInvalid("nothing needs proof, yet a proof was given")
        if old_root != (new_root if old else EMPTY_ROOT):
            raise ProofInvalid(f"two roots of size {old} differ")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    _walk_consistency(old, old_root, new, new_root, path)


def _walk_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, path: list[bytes]
) -> None:
    if not path:
        raise ProofInvalid("the proof is too short")
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = path[0]
    for step in path[1:]:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if at & 1 or at == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, step)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is too short")
    if before != old_root or after != new_root:
        raise ProofInvalid(f"the tree of {new} does not begin with that tree of {old}")


class Accumulator:
    """The root of a tree that grows by whole runs of leaf hashes, in O(log n) memory."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []  # height and hash of perfect trees, left to right

    def add(self, hashes: bytes) -> None:
        """Append a run of leaf hashes."""
        at = 0
        while at < len(hashes):
            height = self._fitting((len(hashes) - at) // HASH_BYTES)
            end = at + (HASH_BYTES << height)
            self._push(height, root_of(hashes[at:end]))
            at = end

    def root(self) -> bytes:
        """Of everything added so far."""
        return _joined([peak for _, peak in self._peaks]) if self._peaks else EMPTY_ROOT

    def _fitting(self, many: int) -> int:
        """The largest perfect tree that starts where we are and has at most `many` leaves."""
        height = many.bit_length() - 1
        aligned = (self.size & -self.size).bit_length() - 1 if self.size else height
        return min(height, aligned)

    def _push(self, height: int, peak: bytes) -> None:
        self.size += 1 << height
        while self._peaks and self._peaks[-1][0] == height:
            peak = node_hash(self._peaks.pop()[1], peak)
            height += 1
        self._peaks.append((height, peak))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _ranges(ranges: Sequence[tuple[int, int]], read: Reader) -> list[bytes]:
    """The tree hash of each range of leaves; every range starts where a perfect tree may."""
    perfect = [list(_perfect(start, end)) for start, end in ranges]
    hashes = iter(read([span for spans in perfect for span in spans]))
    return [_joined([root_of(next(hashes)) for _ in spans]) for spans in perfect]


def _perfect(start: int, end: int) -> Iterator[Span]:
    """The perfect trees that make up a range, the largest first, as spans of tile rows."""
    while start < end:
        height = (end - start).bit_length() - 1
        level, rest = divmod(height, TILE_HEIGHT)
        yield Span(level, start >> (TILE_HEIGHT * level), 1 << rest)
        start += 1 << height


def _joined(peaks: Sequence[bytes]) -> bytes:
    found = peaks[-1]
    for peak in reversed(peaks[:-1]):
        found = node_hash(peak, found)
    return found
