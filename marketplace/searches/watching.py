"""Changed offers held against the searches that people keep: what newly fits, what no longer does.

The database keeps each entry as it was before its first change (`EntryBefore`); a look compares
that with what it is now, for every search at once, so it costs by what changed and not by how much
is on offer. Time alone changes something too: what was measured long ago leaves searches that ask
for freshness. Words are held as they are written; only the market's own page forgives slips.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from marketplace.finding import held_still
from marketplace.models import EntryBefore, SearchLook

AT_ONCE = 2_000  # changed entries

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

_CHANGED = """
  SELECT before.listing_id, old, new, coalesce(before.seen_at, %(since)s) AS seen_at
    FROM marketplace_entrybefore AS before
    LEFT JOIN LATERAL jsonb_populate_record(NULL::marketplace_searchentry, before.entry) AS old
           ON before.entry IS NOT NULL
    LEFT JOIN marketplace_searchentry AS new ON new.listing_id = before.listing_id
   WHERE before.listing_id = ANY(%(ids)s)"""

_AGED = """
  SELECT new.listing_id, new AS old, new, %(since)s::timestamptz AS seen_at
    FROM (SELECT DISTINCT fresh_days * interval '1 day' AS span FROM marketplace_savedsearch
           WHERE ended_at IS NULL AND fresh_days > 0) AS fresh
    JOIN marketplace_searchentry AS new
      ON new.measured_at >= %(since)s - fresh.span AND new.measured_at < %(now)s - fresh.span
   WHERE NOT new.listing_id = ANY(%(ids)s) AND NOT EXISTS (
         SELECT FROM marketplace_entrybefore AS before WHERE before.listing_id = new.listing_id)"""

# Of what changed, what could matter: most entries only age by a hair and cross no bound of anybody.
_TOLD = """
WITH asked AS MATERIALIZED (
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
    """Hold what changed since the last look against every saved search; how many changes came of
    it. Looks come one after the other; one that dies leaves everything as it was."""
    with transaction.atomic():
        held_still()
        last, _ = SearchLook.objects.get_or_create(pk=1, defaults={"looked_at": now})
        found, seen = 0, list[str]()
        while ids := _changed():
            found += _tell(_CHANGED, ids=ids, since=last.looked_at, now=now)
            EntryBefore.objects.filter(pk__in=ids).delete()
            seen += ids
            if len(ids) < AT_ONCE:
                break
        found += _tell(_AGED, ids=seen, since=last.looked_at, now=now)
        SearchLook.objects.filter(pk=1).update(looked_at=max(now, last.looked_at))
    return found


def _changed() -> list[str]:
    """Entries that changed, locked: whoever changes one of them further waits or was seen."""
    rows = EntryBefore.objects.order_by("pk").select_for_update()
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def _tell(touched: str, **values: Any) -> int:
    statement = _TOLD.format(touched=touched, old=_OLD, new=_NEW)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.fetchone()[0])
