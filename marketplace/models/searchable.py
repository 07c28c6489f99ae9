"""How the database keeps the entry that an open listing is searched by, whoever changes what."""

import pgtrigger

ENTRIES = """
INSERT INTO marketplace_searchentry
  (listing_id, agent_version_id, work, protocol, languages, price, currency, opened_at, words,
   document, claim_bps, shuffle, rank, score_bps, bounds, measured_at)
SELECT listing.id, version.id, agent.work, version.protocol, listing.languages, listing.price,
       listing.currency, listing.opened_at, said.words,
       setweight(to_tsvector('simple', said.words), 'A')
         || setweight(to_tsvector('english', agent.summary), 'B'),
       (SELECT claim.score_bps FROM marketplace_benchmarkclaim AS claim
         WHERE claim.agent_version_id = version.id
         ORDER BY claim.measured_on DESC, claim.recorded_at DESC LIMIT 1),
       md5(listing.id), score.rank, score.score_bps, coalesce(score.bounds, '{}'),
       score.measured_at
  FROM marketplace_listing AS listing
  JOIN pacts_agent AS agent ON agent.id = listing.agent_id
  JOIN pacts_party AS builder ON builder.id = agent.builder_id
  JOIN pacts_agentversion AS version ON version.id = listing.agent_version_id
  LEFT JOIN reputation_standingscore AS score ON score.version_id = version.id
 CROSS JOIN LATERAL (
   SELECT lower(concat_ws(' ', agent.name, replace(agent.work, '-', ' '), builder.name)) AS words
 ) AS said
 WHERE listing.state = 'open'"""

# A score that moves while an entry is written is seen by neither: it is compared once more.
_FOLLOWED = "INSERT INTO reputation_scoremove (version_id) VALUES (NEW.agent_version_id);"


def kept_searchable() -> pgtrigger.Trigger:
    """Writes a listing's entry again after each change of it; only open ones have an entry."""
    return pgtrigger.Trigger(
        name="kept_searchable",
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            DELETE FROM marketplace_searchentry WHERE listing_id = NEW.id;
            {ENTRIES} AND listing.id = NEW.id;
            {_FOLLOWED}
            RETURN NULL;
        """,  # noqa: S608 - words of our own
    )


def kept_comparable() -> pgtrigger.Trigger:
    """Writes a listing's entry again when a claim is recorded for the version on offer."""
    return pgtrigger.Trigger(
        name="kept_comparable",
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        func=f"""
            DELETE FROM marketplace_searchentry WHERE agent_version_id = NEW.agent_version_id;
            {ENTRIES} AND version.id = NEW.agent_version_id;
            {_FOLLOWED}
            RETURN NULL;
        """,  # noqa: S608 - words of our own
    )


def kept_noted() -> pgtrigger.Trigger:
    """Keeps an entry as it was before each change, until somebody looked. Nobody waits for that:
    a look takes the rows it sees, and leaves those of who has not committed yet."""
    return pgtrigger.Trigger(
        name="kept_noted",
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        func="""
            IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - '{rank,claim_bps,shuffle}'::text[]
                                  = to_jsonb(NEW) - '{rank,claim_bps,shuffle}'::text[] THEN
                RETURN NULL;
            END IF;
            INSERT INTO marketplace_entrybefore (listing_id, entry, seen_at, xid)
            VALUES (coalesce(NEW.listing_id, OLD.listing_id),
                    CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
                    (SELECT max(looked_at) FROM marketplace_searchlook),
                    pg_current_xact_id()::text::bigint);
            RETURN NULL;
        """,
    )
