"""The stored tree: complete tiles in a table, ragged ends read from what lies below them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from reputation.merkle import HASH_BYTES, TILE_BYTES, TILE_WIDTH, Span, root_of

MOST_ENTRIES = 1 << 16  # read at once: 2 MB of hashes


class HashesMissing(LookupError):
    """The log does not hold the hashes asked for; `manage.py audit` says where it is damaged."""


@dataclass(frozen=True, slots=True)
class _Full:
    level: int
    index: int
    hashes: bytes
    root: bytes


def build() -> int:
    """Store every tile that has become complete; how many. Within the sequencer's transaction.

    Reads on from the last stored tile, so it also builds a log that had none.
    """
    built, level = 0, 0
    while fresh := _complete(level):
        built += fresh
        level += 1
    return built


def read(spans: Sequence[Span]) -> list[bytes]:
    """The hashes of each span (a `merkle.Reader`). Raises HashesMissing."""
    stored = _stored({(span.level, span.first // TILE_WIDTH) for span in spans})
    return [_cut(span, stored) or _ragged(span) for span in spans]


def row(*, level: int, first: int, count: int) -> bytes:
    """The hashes `first … first + count − 1` of a tile row, within one tile."""
    return read([Span(level, first, count)])[0]


def _complete(level: int) -> int:
    """Store what tiles of one level are complete and not stored yet; how many."""
    next_tile, fresh = _stored_count(level), 0
    while True:
        hashes = _hashes_below(level, next_tile * TILE_WIDTH, MOST_ENTRIES)
        full = [
            _Full(level, next_tile + number, run, root_of(run))
            for number, run in enumerate(_runs(hashes))
        ]
        if not full:
            return fresh
        _store(full)
        next_tile, fresh = next_tile + len(full), fresh + len(full)
        if len(hashes) < MOST_ENTRIES * HASH_BYTES:
            return fresh


def _runs(hashes: bytes) -> list[bytes]:
    whole = len(hashes) // TILE_BYTES * TILE_BYTES
    return [hashes[at : at + TILE_BYTES] for at in range(0, whole, TILE_BYTES)]


def _stored_count(level: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT index + 1 FROM reputation_tile WHERE level = %s ORDER BY index DESC LIMIT 1",
            [level],
        )
        found = cursor.fetchone()
    return int(found[0]) if found else 0


def _hashes_below(level: int, first: int, count: int) -> bytes:
    """A run of a tile row, from the entries or from the roots of the tiles below."""
    if level == 0:
        question = """
            SELECT string_agg(leaf_hash, ''::bytea ORDER BY index) FROM reputation_logentry
            WHERE index >= %s AND index < %s"""
        values = [first, first + count]
    else:
        question = """
            SELECT string_agg(root, ''::bytea ORDER BY index) FROM reputation_tile
            WHERE level = %s AND index >= %s AND index < %s"""
        values = [level - 1, first, first + count]
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        (found,) = cursor.fetchone()
    return bytes(found or b"")


def _store(full: Sequence[_Full]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO reputation_tile (level, index, hashes, root)
               SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[], %s::bytea[])""",
            [
                [tile.level for tile in full],
                [tile.index for tile in full],
                [tile.hashes for tile in full],
                [tile.root for tile in full],
            ],
        )


def _stored(wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    places = sorted(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT level, index, hashes FROM reputation_tile
               JOIN unnest(%s::smallint[], %s::bigint[]) AS wanted (l, i)
                 ON level = l AND index = i""",
            [[level for level, _ in places], [index for _, index in places]],
        )
        return {(level, index): bytes(hashes) for level, index, hashes in cursor.fetchall()}


def _cut(span: Span, stored: dict[tuple[int, int], bytes]) -> bytes:
    tile = stored.get((span.level, span.first // TILE_WIDTH), b"")
    at = span.first % TILE_WIDTH * HASH_BYTES
    return tile[at : at + span.count * HASH_BYTES]


def _ragged(span: Span) -> bytes:
    found = _hashes_below(span.level, span.first, span.count)
    if len(found) != span.count * HASH_BYTES:
        raise HashesMissing(
            f"the log lacks hashes {span.first} to {span.first + span.count - 1} of row "
            f"{span.level}; run `manage.py audit`"
        )
    return found
