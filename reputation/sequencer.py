"""The one sequencer: it gives queued evidence its place in the log, and nobody waits for it."""

from django.db import connection, transaction

# Any fixed number does; it only has to differ from the other advisory locks of this database.
_LOCK = 0x6C6F67  # "log"

# Drained in the order of the queue, which is the order of cause and effect. The next index is read
# from the log itself, so a crash or a rollback leaves no gap and no second counter to disagree.
_SEQUENCE = """
    WITH next AS (
        SELECT coalesce(max(index) + 1, 0) AS index FROM reputation_logentry
    ), due AS (
        SELECT id FROM reputation_evidencequeue ORDER BY id LIMIT %s
    ), drained AS (
        DELETE FROM reputation_evidencequeue q USING due WHERE q.id = due.id
        RETURNING q.id, q.evidence_id, q.leaf_hash
    )
    INSERT INTO reputation_logentry (index, evidence_id, leaf_hash, sequenced_at)
    SELECT next.index + row_number() OVER (ORDER BY drained.id) - 1, evidence_id, leaf_hash, now()
    FROM drained, next
    ORDER BY drained.id
"""


def sequence_batch(*, limit: int = 1000) -> int:
    """Move up to `limit` pieces of evidence from the queue to the log; how many were moved.

    0 when the queue is empty or another sequencer is at work. Evidence that a transaction has not
    yet committed is left for a later batch.
    """
    # Two statements: the second takes its snapshot after the lock, and so sees the last batch.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        (mine,) = cursor.fetchone()
        if not mine:
            return 0
        cursor.execute(_SEQUENCE, [limit])
        return int(cursor.rowcount)
