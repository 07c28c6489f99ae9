"""Changed offers held against the searches that people keep: what newly fits, what no longer does.

The database keeps each entry as it was before each change (`EntryBefore`); a look takes those rows
and compares the first of them with what the entry is now, for every search at once, so it costs by
what changed and not by how much is on offer. Time alone changes something too: what was measured
long ago leaves searches that ask for freshness. Words are held as they are written; only the
market's own page forgives slips.

A look goes batch by batch, each in a transaction of its own that takes the changes and writes what
came of them: one that dies leaves the rest to the next. What grew old comes first and moves the
moment of the look, so that no batch of a later look tells of it again. Nobody who changes a
listing waits for a look.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from marketplace.models import EntryBefore, SavedSearch, SearchLook

AT_ONCE = 2_000  # changes

# Whether the entry `{e}` (its columns null: not on offer) fits the saved search `saved` at `{at}`;
# as `marketplace.finding.filtered` does, which a test holds against it.
FITS = """({e}.listing_id IS NOT NULL
  AND (saved.work = '' OR saved.work = {e}.work)
  AND (saved.protocol = '' OR saved.protocol = {e}.protocol)
  AND (saved.language = '' OR {e}.languages = '{{}}' OR saved.language = ANY({e}.languages))
  AND (saved.currency = '' OR saved.currency = {e}.currency)
  AND (saved.most IS NULL OR {e}.price <= saved.most)
  AND (saved.least = 0 OR coalesce({e}.score_bps, -1) >= saved.least)
  AND (saved.fresh_days = 0
       OR coalesce({e}.measured_at >= {at} - saved.fresh_days * interval '1 day', FALSE))
  AND (saved.floors = '{{}}' OR NOT EXISTS (
        SELECT FROM jsonb_each_text(saved.floors) AS floor
         WHERE coalesce(({e}.bounds ->> floor.key)::int, -1) < floor.value::int))
  AND (saved.words = '' OR {e}.document @@ saved.words::tsquery))"""
_OLD, _NEW = FITS.format(e="(t.old)", at="t.seen_at"), FITS.format(e="(t.new)", at="%(now)s")

# Whether a change was there when a search began: what `begin` wrote down of that moment.
# Its own transaction is in no snapshot of its own, so there the order of the rows decides.
_THERE = """(CASE WHEN before.xid = ({begun} ->> 'xid')::bigint
  THEN before.id <= ({begun} ->> 'last')::bigint
  ELSE pg_visible_in_snapshot(before.xid::text::xid8, ({begun} ->> 'snapshot')::pg_snapshot)
  END)"""

# Searches that began lately have not to do with changes of before: they are compared with an entry
# as it was before its first change after that; all others with its first change of all.
_BEGUN = """
  SELECT NULL::jsonb AS begun, '-infinity'::timestamptz AS saved_at
   UNION ALL SELECT begun, max(saved_at) FROM marketplace_savedsearch
   WHERE begun IS NOT NULL AND ended_at IS NULL GROUP BY begun"""

# Rows are taken and entries read in one statement: one snapshot has both or neither.
_TAKEN = """taken AS MATERIALIZED (
  DELETE FROM marketplace_entrybefore WHERE listing_id = ANY(%(listings)s)
  RETURNING id, listing_id, entry, seen_at, xid
), """
_CHANGED = """
  SELECT was.listing_id, old, new, was.begun,
         greatest(coalesce(was.seen_at, %(since)s), was.saved_at) AS seen_at
    FROM (SELECT DISTINCT ON (one.begun, before.listing_id) before.*, one.begun, one.saved_at
            FROM begun AS one JOIN taken AS before ON one.begun IS NULL OR NOT {there}
           ORDER BY one.begun, before.listing_id, before.id) AS was
    LEFT JOIN LATERAL jsonb_populate_record(NULL::marketplace_searchentry, was.entry) AS old
           ON was.entry IS NOT NULL
    LEFT JOIN marketplace_searchentry AS new ON new.listing_id = was.listing_id"""

_AGED = """
  SELECT new.listing_id, new AS old, new, one.begun,
         greatest(%(since)s::timestamptz, one.saved_at) AS seen_at
    FROM (SELECT DISTINCT fresh_days * interval '1 day' AS span FROM marketplace_savedsearch
           WHERE ended_at IS NULL AND fresh_days > 0) AS fresh
    JOIN marketplace_searchentry AS new
      ON new.measured_at >= %(since)s - fresh.span AND new.measured_at < %(now)s - fresh.span
   CROSS JOIN begun AS one
   WHERE NOT EXISTS (
         SELECT FROM marketplace_entrybefore AS before WHERE before.listing_id = new.listing_id)"""

# Of what changed, what could matter: most entries only age by a hair and cross no bound of anybody.
_TOLD = """
WITH {taken}begun AS MATERIALIZED ({begun}
), asked AS MATERIALIZED (
  SELECT DISTINCT '' AS dimension, least FROM marketplace_savedsearch
   WHERE ended_at IS NULL AND least > 0
  UNION SELECT DISTINCT floor.key, floor.value::int
    FROM marketplace_savedsearch, jsonb_each_text(floors) AS floor WHERE ended_at IS NULL
), fresh AS MATERIALIZED (
  SELECT DISTINCT fresh_days * interval '1 day' AS span FROM marketplace_savedsearch
   WHERE ended_at IS NULL AND fresh_days > 0
), touched AS MATERIALIZED (
  SELECT t.* FROM ({touched}) AS t
   WHERE ((t.old).listing_id, (t.old).work, (t.old).protocol, (t.old).languages, (t.old).currency,
          (t.old).price, (t.old).document)
         IS DISTINCT FROM ((t.new).listing_id, (t.new).work, (t.new).protocol, (t.new).languages,
          (t.new).currency, (t.new).price, (t.new).document)
      OR EXISTS (SELECT FROM asked WHERE
           (coalesce(CASE dimension WHEN '' THEN (t.old).score_bps
                     ELSE ((t.old).bounds ->> dimension)::int END, -1) < least)
        <> (coalesce(CASE dimension WHEN '' THEN (t.new).score_bps
                     ELSE ((t.new).bounds ->> dimension)::int END, -1) < least))
      OR EXISTS (SELECT FROM fresh WHERE
           coalesce((t.old).measured_at >= t.seen_at - span, FALSE)
        <> coalesce((t.new).measured_at >= %(now)s - span, FALSE))
), found AS MATERIALIZED (
  SELECT saved.id AS search_id, t.listing_id, {new} AS fits,
         CASE WHEN ((t.old).listing_id IS NULL) <> ((t.new).listing_id IS NULL) THEN 'offer'
              WHEN saved.most IS NOT NULL
               AND ((t.old).price <= saved.most) <> ((t.new).price <= saved.most) THEN 'price'
              WHEN (t.old).score_bps IS DISTINCT FROM (t.new).score_bps
               AND (saved.least > 0 OR saved.floors <> '{{}}') THEN 'bound'
              WHEN (t.old).document IS DISTINCT FROM (t.new).document
                OR ((t.old).work, (t.old).protocol, (t.old).languages, (t.old).currency)
                   IS DISTINCT FROM
                   ((t.new).work, (t.new).protocol, (t.new).languages, (t.new).currency)
              THEN 'terms'
              WHEN (t.old).bounds IS DISTINCT FROM (t.new).bounds AND saved.floors <> '{{}}'
              THEN 'bound' ELSE 'age' END AS reason,
         coalesce((t.new).currency, (t.old).currency) AS currency, (t.old).price AS price_before,
         (t.new).price AS price, (t.old).score_bps AS score_before_bps,
         (t.new).score_bps AS score_bps
    FROM touched AS t
    JOIN marketplace_savedsearch AS saved
      ON saved.ended_at IS NULL AND saved.work IN ('', (t.old).work, (t.new).work)
     AND saved.begun IS NOT DISTINCT FROM t.begun
   WHERE {old} <> {new}
), undone AS (
  DELETE FROM marketplace_searchchange AS change USING found
   WHERE change.search_id = found.search_id AND change.listing_id = found.listing_id
     AND change.told_at IS NULL AND change.fits <> found.fits
  RETURNING change.search_id, change.listing_id
), written AS (
  INSERT INTO marketplace_searchchange
    (search_id, listing_id, fits, reason, currency, price_before, price, score_before_bps,
     score_bps, at)
  SELECT found.*, %(now)s FROM found
   WHERE (search_id, listing_id) NOT IN (SELECT search_id, listing_id FROM undone)
     AND fits IS DISTINCT FROM (
         SELECT change.fits FROM marketplace_searchchange AS change
          WHERE change.search_id = found.search_id AND change.listing_id = found.listing_id
          ORDER BY change.id DESC LIMIT 1)
  ON CONFLICT DO NOTHING RETURNING 1
) SELECT count(*) FROM written"""


def look(*, now: datetime) -> int:
    """Hold what changed until now against every saved search; how many changes came of it.

    Looks come one after the other, batch by batch. One that dies keeps what it has done.
    """
    found, since = _age(now)
    last = EntryBefore.objects.order_by("-pk").values_list("pk", flat=True).first()
    while last is not None and (came := _batch(last, since, now)) is not None:
        found += came
    _settle()
    return found


def begin(search: SavedSearch) -> None:
    """Let this search, saved in this transaction, hear of what changes from now on.

    What changed before and waits to be looked at is told by what its row says of this moment, and
    not looked at here.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, [search.pk])
    search.refresh_from_db(fields=["begun"])


_BEGIN = """
UPDATE marketplace_savedsearch SET begun = jsonb_build_object(
         'snapshot', pg_current_snapshot()::text,
         'xid', pg_current_xact_id()::text::bigint,
         'last', (SELECT coalesce(max(id), 0) FROM marketplace_entrybefore))
 WHERE id = %s AND EXISTS (SELECT FROM marketplace_entrybefore)"""


def _age(now: datetime) -> tuple[int, datetime]:
    """Tell what grew old since the last look, and move its moment; that moment before."""
    with transaction.atomic():
        _one_after_the_other()
        last, _ = SearchLook.objects.get_or_create(pk=1, defaults={"looked_at": now})
        found = _tell(_AGED, since=last.looked_at, now=now)
        SearchLook.objects.filter(pk=1).update(looked_at=max(now, last.looked_at))
    return found, last.looked_at


def _batch(last: int, since: datetime, now: datetime) -> int | None:
    """Take the oldest changes up to the row `last`; None where none is left."""
    with transaction.atomic():
        _one_after_the_other()
        rows = EntryBefore.objects.filter(pk__lte=last).order_by("pk")
        listings = sorted(set(rows.values_list("listing_id", flat=True)[:AT_ONCE]))
        if not listings:
            return None
        return _tell(_CHANGED, _TAKEN, listings=listings, since=since, now=now)


def _settle() -> None:
    """Searches that began before everything that waits now have no beginning to be minded."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE)


_SETTLE = f"""
UPDATE marketplace_savedsearch AS saved SET begun = NULL
 WHERE begun IS NOT NULL AND NOT EXISTS (
       SELECT FROM marketplace_entrybefore AS before
        WHERE {_THERE.format(begun="saved.begun")})"""  # noqa: S608 - words of our own


def _one_after_the_other() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('marketplace.looks'))")


def _tell(touched: str, taken: str = "", /, **values: Any) -> int:
    touched = touched.format(there=_THERE.format(begun="one.begun"))
    statement = _TOLD.format(touched=touched, taken=taken, begun=_BEGUN, old=_OLD, new=_NEW)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.fetchone()[0])
