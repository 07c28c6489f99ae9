"""Which parties are behind one another: what the platform privately knows, and nobody publishes.

A builder whose agent was breached gains nothing by founding another party. A party is connected
with an earlier one by
- a person: somebody who acts for it (any member but a viewer) signed a pact for the other;
- an account: it is paid where the other was paid before;
- a host: its agents answer where the other's, proved to be under its control, answered before.

Each tie is something that party did itself, later: so nobody ties a stranger to a bad name by
naming it as a member, by paying into its account, or by registering an agent at its host. A host
that many parties answer from says nothing of any of them, nor do loopback addresses and the
sandbox, whose accounts are words. Signing keys tie nobody: the platform makes one per party.
"""

from dataclasses import dataclass

from django.db import connection

MOST_TENANTS = 5  # parties at one host; beyond that it is a landlord's
MOST_KIN = 100

HOW = {
    "person": "a person who acts for it signed a pact for another party",
    "account": "it is paid to an account that another party was paid to before",
    "host": "its agents answer from a host that another party's agents answered from before",
}


@dataclass(frozen=True, slots=True)
class Kin:
    """A connected party, and by what (keys of `HOW`); through others where none is direct."""

    party_id: str
    how: tuple[str, ...]


def kin_of(*, party_id: str) -> list[Kin]:
    """The parties whose standing this one carries too, in order of id; never the party itself."""
    with connection.cursor() as cursor:
        cursor.execute(_KIN, {"party": party_id, "tenants": MOST_TENANTS, "most": MOST_KIN})
        return [Kin(party, tuple(how)) for party, how in cursor.fetchall()]


def ties_of(*, party_id: str) -> list[str]:
    """By what a party is connected with others, in sentences for that party alone: they name
    nobody, because whom it is connected with may be somebody else's secret."""
    found = {how for one in kin_of(party_id=party_id) for how in one.how}
    return [HOW[how] for how in HOW if how in found]


# `named` are members, who count for the party asked about alone: a member of an earlier party may
# have been named there without being asked.
_KIN = """
    WITH RECURSIVE kin (party_id, how) AS (
        SELECT %(party)s::text COLLATE "C", '' UNION
        SELECT tie.party_id, CASE WHEN kin.how = '' THEN tie.how ELSE kin.how END
          FROM kin CROSS JOIN LATERAL (
            SELECT theirs.party_id, 'person' AS how
              FROM pacts_signature theirs
             WHERE theirs.purpose = 'pact' AND theirs.signed_by_id IN (
                SELECT own.signed_by_id FROM pacts_signature own
                 WHERE own.party_id = kin.party_id AND own.purpose = 'pact'
                UNION
                SELECT named.user_id FROM pacts_member named
                 WHERE named.party_id = kin.party_id AND named.role <> 'viewer' AND kin.how = '')
            UNION
            SELECT theirs.party_id, 'account'
              FROM (SELECT rail, destination, min(requested_at) AS since FROM settlement_payout
                     WHERE party_id = kin.party_id AND refund_of_id IS NULL AND rail <> 'sandbox'
                     GROUP BY rail, destination) own
              JOIN settlement_payout theirs
                ON (theirs.rail, theirs.destination) = (own.rail, own.destination)
               AND theirs.refund_of_id IS NULL AND theirs.requested_at < own.since
            UNION
            SELECT their_agent.builder_id, 'host'
              FROM (SELECT split_part(lower(v.endpoint), '/', 3) AS host,
                           min(v.created_at) AS since
                      FROM pacts_agentversion v JOIN pacts_agent a ON a.id = v.agent_id
                     WHERE a.builder_id = kin.party_id GROUP BY 1) own
             CROSS JOIN LATERAL (  -- a look into the index for each host, never all versions
                SELECT v.agent_id FROM pacts_agentversion v
                 WHERE split_part(lower(v.endpoint), '/', 3) = own.host
                   AND v.created_at < own.since OFFSET 0) theirs
              JOIN pacts_agent their_agent ON their_agent.id = theirs.agent_id
               AND their_agent.control_proved_at IS NOT NULL
             WHERE own.host <> '' AND own.host !~ '^(127[.]|localhost|[[]::1)' AND (
                SELECT count(DISTINCT tenant.builder_id) FROM pacts_agentversion v
                  JOIN pacts_agent tenant ON tenant.id = v.agent_id
                 WHERE split_part(lower(v.endpoint), '/', 3) = own.host) <= %(tenants)s
          ) tie
         WHERE tie.party_id <> %(party)s
    )
    SELECT party_id, array_agg(DISTINCT how ORDER BY how) FROM kin
     WHERE party_id <> %(party)s GROUP BY party_id ORDER BY party_id LIMIT %(most)s
"""
