"""What the evidence bench runs in a process of its own, on one database: by name, by `Fleet.call`.

A past is written by set-based SQL with triggers off, or ten million facts would take hours. It is
what the doors would have left but for the private payloads and the table of subjects: envelopes
are sealed by `envelope.seal` and only the ids in them differ, every leaf is hashed, the tiles are
built by the sequencer's own builder, the head is signed and the standings are folded from it.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from statistics import quantiles
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.utils.timezone import now as clock

from marketplace import oracle
from marketplace.benches.evidence_facts import STEPS, VERDICT_STEP, hire_drafts, templates
from pacts.models import Agent, Party
from reputation import audit, checkpoints, evidence, merkle, proofs, sequencer, standings, tiles
from reputation.models import Evidence

CHUNK_HIRES = 50_000
_SEED = 20_260_101


@contextmanager
def meanwhile() -> Iterator[None]:
    """Nothing runs beside the contenders."""
    yield


def make_tables() -> None:
    """Every table of the product, on an empty database."""
    call_command("migrate", verbosity=0, skip_checks=True)


def append(*, batch: int, batches: int) -> list[float]:
    """Seconds of each batch through the door, a commit each."""
    return [_timed(lambda: _append(batch)) for _ in range(batches)]


def _append(count: int) -> None:
    drafts = [draft for number in range(-(-count // STEPS)) for draft in hire_drafts(number)]
    with transaction.atomic():
        evidence.append_all(drafts=drafts[:count])


def sequence(*, batch: int, batches: int) -> list[float]:
    """Seconds of each batch from the queue into the log, tiles included, a commit each."""

    def move() -> None:
        assert sequencer.sequence_batch(limit=batch) == batch, "the queue ran dry"

    return [_timed(move) for _ in range(batches)]


def prepare_bare() -> None:
    """Tables like the log and its tiles: the same columns and indexes, no trigger, no check."""
    with connection.cursor() as cursor:
        for name in ("logentry", "tile"):
            cursor.execute(
                f"CREATE TABLE bare_{name} "
                f"(LIKE reputation_{name} INCLUDING DEFAULTS INCLUDING INDEXES)"
            )


def insert_bare(*, batch: int, batches: int) -> list[float]:
    """Seconds of each batch of the newest log rows, and the tiles they fill, inserted plainly."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE bare_logentry, bare_tile")
        cursor.execute(
            "SELECT index, evidence_id, leaf_hash, sequenced_at FROM reputation_logentry"
            " ORDER BY index DESC LIMIT %s",
            [batch * batches],
        )
        rows = cursor.fetchall()[::-1]
        found = [_filled(cursor, rows[at : at + batch]) for at in range(0, len(rows), batch)]
    groups = [rows[at : at + batch] for at in range(0, len(rows), batch)]
    return [
        _timed(lambda group=group, full=full: _insert_bare(group, full))  # type: ignore[misc]
        for group, full in zip(groups, found, strict=True)
    ]


def _filled(cursor: Any, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The level-0 tiles whose last hash is among these rows."""
    first, last = rows[0][0], rows[-1][0]
    width = merkle.TILE_WIDTH
    cursor.execute(
        "SELECT level, index, hashes, root FROM reputation_tile"
        " WHERE level = 0 AND index BETWEEN %s AND %s",
        [-(-(first + 1) // width) - 1, (last + 1) // width - 1],
    )
    return list(cursor.fetchall())


def _insert_bare(rows: Sequence[tuple[Any, ...]], full: Sequence[tuple[Any, ...]]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bare_logentry (index, evidence_id, leaf_hash, sequenced_at) SELECT * FROM"
            " unnest(%s::bigint[], %s::text[], %s::bytea[], %s::timestamptz[])",
            [list(column) for column in zip(*rows, strict=True)],
        )
        if full:
            cursor.execute(
                "INSERT INTO bare_tile (level, index, hashes, root) SELECT * FROM"
                " unnest(%s::smallint[], %s::bigint[], %s::bytea[], %s::bytea[])",
                [list(column) for column in zip(*full, strict=True)],
            )


_PAST = """
WITH made AS (
    INSERT INTO reputation_evidence (id, kind, envelope, leaf_hash, dedupe_key, recorded_at)
    SELECT id, kind, envelope, sha256('\\x00'::bytea || convert_to(envelope, 'UTF8')), NULL, now()
      FROM (
        SELECT 'evd_' || lpad(to_hex(hire * %(steps)s + step), 32, '0') AS id, kind,
               format(template, lpad(to_hex(hire * %(steps)s + step), 32, '0'),
                      lpad(to_hex(hire), 32, '0'),
                      lpad(to_hex(hire %% %(agents)s), 32, '0'),
                      lpad(to_hex((hire %% %(agents)s + hire / %(agents)s %% 20)
                                  %% %(agents)s), 32, '0'),
                      lpad(to_hex(hire * %(steps)s + %(verdict)s), 32, '0')) AS envelope
          FROM generate_series(%(first)s, %(last)s) AS hire
         CROSS JOIN unnest(%(kinds)s::text[], %(templates)s::text[])
               WITH ORDINALITY AS k (kind, template, place)
         CROSS JOIN LATERAL (SELECT place - 1 AS step) AS s
         ORDER BY hire, step
      ) AS facts
    RETURNING id, leaf_hash
)
INSERT INTO reputation_logentry (index, evidence_id, leaf_hash, sequenced_at)
SELECT ('x' || right(id, 16))::bit(64)::bigint, id, leaf_hash, now() FROM made ORDER BY id
"""


def write_past(*, entries: int, agents: int = 1_000) -> dict[str, float]:
    """A log of about that many entries on an empty database; how many, and what it took."""
    began = time.perf_counter()
    kinds, texts, verdict = templates()
    hires = max(1, entries // STEPS)
    for first in range(0, hires, CHUNK_HIRES):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(
                _PAST,
                {
                    "steps": STEPS,
                    "agents": agents,
                    "verdict": verdict,
                    "first": first,
                    "last": min(first + CHUNK_HIRES, hires) - 1,
                    "kinds": kinds,
                    "templates": texts,
                },
            )
    written = time.perf_counter()
    with transaction.atomic():
        tiles.build()
    built = time.perf_counter()
    checkpoints.sign_now(now=clock())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE reputation_evidence, reputation_logentry, reputation_tile")
        cursor.execute("CHECKPOINT")
    return {
        "entries": checkpoints.size(),
        "write_seconds": written - began,
        "tile_seconds": built - written,
    }


def fold_past() -> float:
    """Fold the whole past into standings by the product's own rebuild; seconds."""
    began = time.perf_counter()
    standings.rebuild()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    return time.perf_counter() - began


def sizes() -> dict[str, int]:
    """Bytes of all envelopes, of all tiles with their roots, and of what heads keep of hashes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT sum(octet_length(envelope)) FROM reputation_evidence),"
            " (SELECT sum(octet_length(hashes) + octet_length(root)) FROM reputation_tile),"
            " (SELECT sum(octet_length(tail)) FROM reputation_checkpoint)"
        )
        entries, of_tiles, of_tails = cursor.fetchone()
    return {"entries": int(entries), "tiles": int(of_tiles or 0) + int(of_tails or 0)}


def prove(*, count: int) -> dict[str, float]:
    """Milliseconds of inclusion proofs of random entries under the newest head; all verified."""
    head = checkpoints.newest()
    assert head is not None, "a past ends with a signed head"
    draw = random.Random(_SEED)  # noqa: S311
    picked = [f"evd_{draw.randrange(head.size):032x}" for _ in range(count)]
    leaves = dict(Evidence.objects.filter(pk__in=picked).values_list("pk", "leaf_hash"))
    taken = []
    for evidence_id in picked:
        began = time.perf_counter()
        found = proofs.inclusions(evidence_ids=[evidence_id], under=head)[evidence_id]
        taken.append((time.perf_counter() - began) * 1000)
        merkle.verify_inclusion(
            leaf=bytes(leaves[evidence_id]),
            index=found.index,
            size=head.size,
            proof=found.hashes,
            root=bytes(head.root),
        )
    parts = quantiles(taken, n=100)
    return {"p50": parts[49], "p95": parts[94], "worst": max(taken)}


def audit_all() -> dict[str, float]:
    """Seconds of a full audit, and what it found: nothing, or the bench is worthless."""
    began = time.perf_counter()
    report = audit.rehash()
    seconds = time.perf_counter() - began
    assert not report.findings, str(report.findings[0])
    return {"seconds": seconds, "entries": report.entries}


def update_standing(*, rounds: int) -> list[float]:
    """Milliseconds to fold one hire's evidence into the standings, a commit each."""
    while standings.update_standings():
        pass
    taken = []
    for number in range(rounds):
        record_hire(number % 8)
        sequencer.sequence_batch()
        taken.append(_timed(_fold_one) * 1000)
    return taken


def record_hire(number: int) -> None:
    """One hire of the agent of this number, through the door; its settlement names its verdict."""
    *before, settled = hire_drafts(number)
    with transaction.atomic():
        verdict = evidence.append_all(drafts=before)[VERDICT_STEP]
        facts = {**settled.facts, "verdict_evidence": verdict.pk}
        evidence.append_all(drafts=[replace(settled, facts=facts)])


def publish_oracle() -> list[str]:
    """Agents with documents of their own, for readers: eight that were just hired, all proved."""
    checkpoints.sign_now(now=clock())
    return [_listed(number) for number in range(8)]


def _listed(number: int) -> str:
    agent_id = f"agt_{number:032x}"
    builder, _ = Party.objects.get_or_create(id=f"bld_{number:032x}", defaults={"name": "Bench"})
    Agent.objects.get_or_create(
        id=agent_id,
        defaults={"builder": builder, "name": "Bench", "slug": f"bench-{number}", "work": "bench"},
    )
    oracle.publish(agent_id=agent_id, now=clock())
    return agent_id


def _fold_one() -> None:
    assert standings.update_standings() == STEPS, "one hire's evidence was to be folded"


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
