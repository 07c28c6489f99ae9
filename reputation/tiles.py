"""The stored tree: complete tiles in a table, ragged ends read from what lies below them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from reputation.merkle import (
    HASH_BYTES,
    TILE_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Reader,
    Span,
    root_of,
)

HIGHEST = 7  # 256^8 entries: more than an index can count
_PLACE = re.compile(r"((?:x[0-9]{3}/){0,5})([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
MOST_ENTRIES = 1 << 16  # read at once: 2 MB of hashes

# Where the hashes of a tile row come from while their tile is not complete.
_ENTRIES = "(SELECT index, leaf_hash AS hash FROM reputation_logentry)"
_ROOTS = "(SELECT index, root AS hash FROM reputation_tile WHERE level = %(below)s)"


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
    built, level, fresh = 0, 0, range(1)
    while fresh:
        fresh = _complete(level)
        built, level = built + len(fresh), level + 1
        if fresh.start // TILE_WIDTH == fresh.stop // TILE_WIDTH:
            break  # no row of 256 tiles ended, so nothing is complete above
    return built


def read(spans: Sequence[Span]) -> list[bytes]:
    """The hashes of each span (a `merkle.Reader`). Raises HashesMissing."""
    stored = _stored({(span.level, span.first // TILE_WIDTH) for span in spans})
    return [_cut(span, stored) or _ragged(span) for span in spans]


def remembering(*, size: int) -> Reader:
    """A reader of the tree of `size` that fetches each tile once, for many proofs in a row."""
    known: dict[tuple[int, int], bytes] = {}

    def reader(spans: Sequence[Span]) -> list[bytes]:
        places = {(span.level, span.first // TILE_WIDTH) for span in spans}
        missing = sorted(places - known.keys())
        known.update(zip(missing, read([_whole(size, *place) for place in missing]), strict=True))
        return [_cut(span, known) for span in spans]

    return reader


def _whole(size: int, level: int, tile: int) -> Span:
    first = tile * TILE_WIDTH
    return Span(level, first, min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - first))


def read_place(place: str) -> tuple[int, int]:
    """The tile and the width that an address names: `x001/x234/067.p/12`. Raises ValueError."""
    found = _PLACE.fullmatch(place)
    width = int(found[3] or TILE_WIDTH) if found else 0
    if not found or (found[3] and width >= TILE_WIDTH) or found[1].startswith("x000/"):
        raise ValueError(f"{place[:40]!r} is no place of a tile")
    return int(found[1].replace("x", "").replace("/", "") + found[2]), width


def written_place(*, tile: int, width: int = TILE_WIDTH) -> str:
    """The address of a tile within its level."""
    groups = [f"{tile % 1000:03d}"]
    while tile := tile // 1000:
        groups.insert(0, f"x{tile % 1000:03d}")
    return "/".join(groups) + (f".p/{width}" if width < TILE_WIDTH else "")


def row(*, level: int, first: int, count: int) -> bytes:
    """The hashes `first … first + count − 1` of a tile row, within one tile."""
    return read([Span(level, first, count)])[0]


def _complete(level: int) -> range:
    """Store what tiles of one level are complete and not stored yet; which."""
    first, hashes = _waiting(level)
    last = first
    while full := [
        _Full(level, last + number, run, root_of(run)) for number, run in enumerate(_runs(hashes))
    ]:
        _store(full)
        last += len(full)
        if len(hashes) < MOST_ENTRIES * HASH_BYTES:
            break
        _, hashes = _waiting(level)
    return range(first, last)


def _runs(hashes: bytes) -> list[bytes]:
    whole = len(hashes) // TILE_BYTES * TILE_BYTES
    return [hashes[at : at + TILE_BYTES] for at in range(0, whole, TILE_BYTES)]


def _waiting(level: int) -> tuple[int, bytes]:
    """The first tile that is not stored yet, and the hashes there are from it on."""
    source = _ENTRIES if level == 0 else _ROOTS
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH next AS MATERIALIZED (
                    SELECT coalesce(max(index) + 1, 0) AS tile FROM reputation_tile
                     WHERE level = %(level)s
                )
                SELECT (SELECT tile FROM next),
                       string_agg(hash, ''::bytea ORDER BY index) FROM {source} AS below
                 WHERE index >= (SELECT tile FROM next) * {TILE_WIDTH}
                   AND index < (SELECT tile FROM next) * {TILE_WIDTH} + {MOST_ENTRIES}""",  # noqa: S608
            {"level": level, "below": level - 1},
        )
        tile, hashes = cursor.fetchone()
    return tile, bytes(hashes or b"")


def _hashes_below(span: Span) -> bytes:
    """A run of a tile row, from the entries or from the roots of the tiles below."""
    source = _ENTRIES if span.level == 0 else _ROOTS
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT string_agg(hash, ''::bytea ORDER BY index) FROM {source} AS below
                 WHERE index >= %(first)s AND index < %(end)s""",  # noqa: S608
            {"below": span.level - 1, "first": span.first, "end": span.first + span.count},
        )
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
    found = _hashes_below(span)
    if len(found) != span.count * HASH_BYTES:
        raise HashesMissing(
            f"the log lacks hashes {span.first} to {span.first + span.count - 1} of row "
            f"{span.level}; run `manage.py audit`"
        )
    return found
