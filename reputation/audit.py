"""The audit of the log: hash every envelope again, and hold the result against what was signed.

Nothing stored is believed: leaves come from the envelopes, roots from the leaves. Heads may come
from anywhere, from receipts and witnesses above all: what a rewritten log cannot take back.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from django.db import connection, transaction

from reputation import keys, notes
from reputation.merkle import HASH_BYTES, TILE_BYTES, TILE_WIDTH, Accumulator
from reputation.models import Checkpoint

CHUNK = 1 << 14


@dataclass(frozen=True, slots=True)
class SeenHead:
    """A head of the log as somebody saw it; `seen` says where, such as `receipt rcp_1`."""

    size: int
    root: bytes
    seen: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and the index from which on the log is not to be believed."""

    index: int
    detail: str

    def __str__(self) -> str:
        return f"the log: first bad index {self.index}: {self.detail}"


@dataclass(slots=True)
class Report:
    """How far the log was hashed, and what was found; nothing found is a good log."""

    entries: int = 0
    heads: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def first_bad(self) -> int | None:
        """The smallest index any finding names."""
        return min((finding.index for finding in self.findings), default=None)


def rehash(*, heads: Iterable[SeenHead] = (), chunk: int = CHUNK) -> Report:
    """Hash the whole log again, in one snapshot; hold it against our own signed heads and `heads`.

    Reads each envelope once; memory does not grow with the log.
    """
    report = Report()
    with transaction.atomic(), connection.cursor() as cursor:
        if len(connection.savepoint_ids) == 0:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        ours = list(_own_heads(report))
        waiting = sorted([*ours, *heads], key=lambda head: head.size)
        report.heads = len(waiting)
        _Walk(report, waiting).through(_entries(chunk))
        _find_left_out(report)
    report.findings.sort(key=lambda finding: finding.index)
    return report


@dataclass(frozen=True, slots=True)
class _Chunk:
    first: int
    rows: Sequence[tuple[int, str, bytes, bytes | None]]
    tiles: bytes
    tails: Sequence[tuple[int, bytes]]  # the first index of each run of hashes


class _Walk:
    """One pass over the entries in order, stopping at every head to compare roots."""

    def __init__(self, report: Report, heads: list[SeenHead]) -> None:
        self._report = report
        self._heads = heads[::-1]
        self._tree = Accumulator()
        self._next = 0  # the index that comes next where none is missing
        self._agreed = 0  # every index below is vouched for by a head that fits
        self._broken = False

    def through(self, chunks: Iterable[_Chunk]) -> None:
        self._pass_heads()
        for chunk in chunks:
            leaves = self._leaves(chunk)
            self._compare_tiles(chunk, leaves)
            self._grow(leaves)
            self._report.entries += len(chunk.rows)
        for head in self._heads[::-1]:
            self._find(
                self._report.entries,
                f"{head.seen} states a log of {head.size} entries; from here on they are missing",
            )

    def _leaves(self, chunk: _Chunk) -> bytes:
        leaves = []
        for index, evidence_id, stored, envelope in chunk.rows:
            if index != self._next:
                self._find(self._next, f"there is no entry {self._next}; the next one is {index}")
            self._next = index + 1
            content = b"\x00" + (envelope or b"")
            leaf = sha256(content).digest()
            if envelope is None:
                self._find(index, f"the evidence {evidence_id} is gone")
            elif leaf != stored or b'"id":"%b"' % evidence_id.encode() not in content:
                self._find(index, f"the envelope of {evidence_id} is not the one that was hashed")
            leaves.append(leaf)
        return b"".join(leaves)

    def _compare_tiles(self, chunk: _Chunk, leaves: bytes) -> None:
        """Hold leaves against the hashes kept apart from them, in tiles and beside each head."""
        for first, known in [(chunk.first, chunk.tiles), *chunk.tails]:
            start = (first - chunk.first) * HASH_BYTES
            here = leaves[start : start + len(known)]
            places = range(0, len(here), HASH_BYTES)
            if here != known[: len(here)]:
                at = next(at for at in places if here[at : at + 32] != known[at : at + 32])
                self._find(
                    first + at // HASH_BYTES, "the entry is not the one the tree was built over"
                )

    def _grow(self, leaves: bytes) -> None:
        """Append leaves, up to each head in turn, so that its root can be compared."""
        at = 0
        while at < len(leaves):
            end = len(leaves)
            if self._heads:
                end = min(end, at + (self._heads[-1].size - self._tree.size) * HASH_BYTES)
            self._tree.add(leaves[at:end])
            at = end
            self._pass_heads()

    def _pass_heads(self) -> None:
        while self._heads and self._heads[-1].size <= self._tree.size:
            head = self._heads.pop()
            if head.root == self._tree.root():
                self._agreed = head.size
            elif not self._broken:
                self._broken = True
                self._disagree(head)

    def _disagree(self, head: SeenHead) -> None:
        """The root differs: at an entry found wrong, else somewhere after the last good head."""
        known = [one.index for one in self._report.findings if one.index >= self._agreed]
        where = f"one of {self._agreed} to {head.size - 1} changed"
        self._find(
            min(known, default=self._agreed),
            f"{head.seen} states another root for the first {head.size} entries; "
            + ("this one changed" if known else where),
        )

    def _find(self, index: int, detail: str) -> None:
        if len(self._report.findings) < 20:
            self._report.findings.append(Finding(index, detail))


def _entries(chunk: int) -> Iterator[_Chunk]:
    first = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_ENTRIES, [first, first + chunk])
            rows = [
                (index, evidence_id, bytes(leaf), None if text is None else text.encode())
                for index, evidence_id, leaf, text in cursor.fetchall()
            ]
            if not rows and not _any_beyond(first + chunk):
                return
            yield _Chunk(first, rows, _tiles(first, chunk), _tails(first, chunk))
            first += chunk


_ENTRIES = """
    SELECT l.index, l.evidence_id, l.leaf_hash, e.envelope
      FROM reputation_logentry l LEFT JOIN reputation_evidence e ON e.id = l.evidence_id
     WHERE l.index >= %s AND l.index < %s ORDER BY l.index
"""


def _any_beyond(index: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM reputation_logentry WHERE index >= %s)", [index])
        (found,) = cursor.fetchone()
    return bool(found)


def _tiles(first: int, count: int) -> bytes:
    """The leaf hashes that complete tiles hold from an index on, up to the first lost tile."""
    start = first // TILE_WIDTH
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT index, hashes FROM reputation_tile
                WHERE level = 0 AND index >= %s AND index < %s ORDER BY index""",
            [start, start + count // TILE_WIDTH],
        )
        found = cursor.fetchall()
    runs = [
        bytes(hashes) for number, (index, hashes) in enumerate(found) if index - start == number
    ]
    return b"".join(run if len(run) == TILE_BYTES else b"\x00" * TILE_BYTES for run in runs)


def _tails(first: int, count: int) -> list[tuple[int, bytes]]:
    """The leaf hashes kept with the heads of a chunk: what lay behind the last complete tile."""
    heads = Checkpoint.objects.filter(size__gt=first, size__lte=first + count)
    found = heads.exclude(tail=b"").order_by("size").values_list("size", "tail")
    return [(size - len(tail) // HASH_BYTES, bytes(tail)) for size, tail in found]


def _own_heads(report: Report) -> Iterator[SeenHead]:
    """Our stored checkpoints; one that is unsigned, or not what its row says, is a finding."""
    known = keys.vkeys()
    for checkpoint in Checkpoint.objects.order_by("size").iterator():
        seen = f"our checkpoint {checkpoint.size}"
        try:
            head = notes.read_checkpoint(checkpoint.note, known)
        except (notes.NoteMalformed, notes.SignatureUnknown, notes.SignatureWrong) as error:
            report.findings.append(Finding(checkpoint.size, f"{seen}: {error}"))
            continue
        if (head.size, head.root) != (checkpoint.size, bytes(checkpoint.root)):
            report.findings.append(Finding(checkpoint.size, f"{seen} is not what was signed"))
        yield SeenHead(head.size, head.root, seen)


def _find_left_out(report: Report) -> None:
    """Evidence that neither waits nor has an index was cut out of the log."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT e.id FROM reputation_evidence e
                WHERE NOT EXISTS (
                          SELECT FROM reputation_logentry l WHERE l.evidence_id = e.id)
                  AND NOT EXISTS (
                          SELECT FROM reputation_evidencequeue q WHERE q.evidence_id = e.id)
                ORDER BY e.id LIMIT 1"""
        )
        found = cursor.fetchone()
    if found:
        report.findings.append(
            Finding(report.entries, f"{found[0]} has no index and does not wait for one")
        )
