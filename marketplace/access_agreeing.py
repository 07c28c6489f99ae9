"""Rows of the access table about agreeing: offers under discussion, and what is signed."""

from marketplace.access_rules import CASE_READERS, DEALERS, PUBLIC, READERS, READERS_PAGE, Table

API: Table = {
    "api:negotiations": {"GET": READERS, "POST": DEALERS},
    "api:negotiation": {"GET": READERS},
    "api:proposals": {"GET": READERS, "POST": DEALERS},
    "api:proposal": {"GET": READERS},
    "api:proposal-changes": {"GET": READERS},
    "api:proposal-text": {"GET": READERS},
    "api:proposal-ways": {"GET": READERS},
    "api:proposal-acceptance": {"POST": DEALERS},
    "api:proposal-decline": {"POST": DEALERS},
    "api:proposal-withdrawal": {"POST": DEALERS},
    "api:engagement-text": {"GET": CASE_READERS},
    "api:listing-ways": {"GET": PUBLIC},
    "api:milestone-ways": {"GET": CASE_READERS},
}

PAGES: Table = {
    "negotiations": READERS_PAGE,
    "negotiation_new": {"GET": READERS, "POST": DEALERS},
    "negotiation": READERS_PAGE,
    "negotiation_counter": {"GET": DEALERS, "POST": DEALERS},
    "proposal_acceptance": {"POST": DEALERS},
    "proposal_decline": {"POST": DEALERS},
    "proposal_withdrawal": {"POST": DEALERS},
    "proposal_text": READERS_PAGE,
    "engagement_text": READERS_PAGE,
}
