"""Rows of the access table about what builders do before and after they are hired."""

from marketplace.access_rules import EDITORS, FOUNDERS, OWNERS, PUBLIC, READERS, Table

API: Table = {
    "api:pact-forecasts": {"POST": FOUNDERS},
    "api:rehearsals": {"GET": READERS, "POST": EDITORS},
    "api:rehearsal": {"GET": READERS, "DELETE": EDITORS},
    "api:readiness": {"GET": READERS},
    "api:prospects": {"GET": READERS},
    "api:earnings": {"GET": READERS},
    "api:earned-hires": {"GET": READERS},
    "api:expected-earnings": {"GET": READERS},
    "api:key-rotation": {"POST": OWNERS},
    "api:replies": {"GET": PUBLIC, "POST": EDITORS},
    "api:reply": {"GET": PUBLIC, "DELETE": EDITORS},
    "api:contest-ways": {"GET": READERS},
}

PAGES: Table = {
    "pact_forecast": {"GET": READERS},
    "readiness": {"GET": READERS},
    "prospects": {"GET": READERS},
    "earnings": {"GET": READERS},
    "key_rotation": {"POST": OWNERS},
    "evaluation_reply": {"POST": EDITORS},
    "incident_reply": {"POST": EDITORS},
    "reply_erasure": {"POST": EDITORS},
    "earnings_file": {"GET": READERS},
    "ping": {"POST": EDITORS},
    "dry_run_new": {"GET": EDITORS, "POST": EDITORS},
    "adversarial_new": {"GET": EDITORS, "POST": EDITORS},
    "rehearsal": {"GET": READERS},
    "rehearsal_live": {"GET": READERS},
    "rehearsal_deletion": {"POST": EDITORS},
}
