"""Rows of the access table about needs: a post asks, an offer and a pick promise money."""

from marketplace.access_rules import DEALERS, EDITORS, READERS, READERS_PAGE, Table

API: Table = {
    "api:needs": {"GET": READERS, "POST": EDITORS},
    "api:need": {"GET": READERS},
    "api:need-withdrawal": {"POST": EDITORS},
    "api:need-offers": {"GET": READERS, "POST": DEALERS},
    "api:need-offer-withdrawal": {"POST": DEALERS},
    "api:need-pick": {"POST": DEALERS},
    "api:sealed-offer": {"GET": READERS},
}

PAGES: Table = {
    "needs": READERS_PAGE,
    "need_new": {"GET": EDITORS, "POST": EDITORS},
    "need": READERS_PAGE,
    "need_withdrawal": {"POST": EDITORS},
    "need_offer": {"POST": DEALERS},
    "need_offer_withdrawal": {"POST": DEALERS},
    "need_pick": {"POST": DEALERS},
    "sealed_offer": READERS_PAGE,
}
