"""The one sequencer: it gives queued evidence its place in the log, and nobody waits for it.

To leave the queue is to enter the log (a trigger, see `EvidenceQueue`), in the order of the queue,
which is the order of cause and effect. The tiles a batch completes are stored with it.
"""

from django.db import connection, transaction

from reputation import tiles

# Any fixed number does; it only has to differ from the other advisory locks of this database.
_LOCK = 0x6C6F67  # "log"

# As an array the ids are looked up in the index, however long the queue and old its statistics.
_DRAIN = """
    DELETE FROM reputation_evidencequeue WHERE id = ANY(ARRAY(
        SELECT id FROM reputation_evidencequeue ORDER BY id LIMIT %s
    ))
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
        cursor.execute(_DRAIN, [limit])
        moved = int(cursor.rowcount)
        if moved:
            tiles.build()
        return moved
