"""The checker itself: a real hire's books are clean, and each single forgery in them is found.

The forger is a superuser whom no trigger stops (`session_replication_role = replica`).
"""

from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from pacts import runner
from pacts.tasks import run_trials
from reputation import sequencer, standings
from tests import cast
from tests.faults.checker import problems
from tests.stories.story import Story, story_of

pytestmark = pytest.mark.django_db

SETTLEMENT = "(SELECT resolution_id FROM settlement_escrow)"
LAST = "(SELECT max(id) FROM {})"

FORGERIES = {
    "money out of nothing": (
        "UPDATE settlement_account SET balance = balance + 1 WHERE kind = 'party'",
        ["1:", "5:"],
    ),
    "a payment to somebody else": (
        f"""UPDATE settlement_entry SET account_id = (SELECT id FROM settlement_account
             WHERE kind = 'rail') WHERE transfer_id = {SETTLEMENT} AND amount = 9500""",
        ["4:", "5:"],
    ),
    "an entry that vanished": (
        f"DELETE FROM settlement_entry WHERE transfer_id = {SETTLEMENT} AND amount = 9500",
        ["2:", "4:", "5:"],
    ),
    "a deposit credited less": (
        "UPDATE settlement_deposit SET amount = amount + 5",
        ["1:"],
    ),
    "a balance below its floor": (
        "UPDATE settlement_entry SET balance_after = -1 WHERE account_version = 2",
        ["3:", "5:"],
    ),
    "a hold that is resolved by nobody": (
        f"""UPDATE settlement_transfer SET kind = 'hold', resolves_id = NULL
             WHERE id = {SETTLEMENT}""",
        ["4:"],
    ),
    "a greedy fee": ("UPDATE settlement_escrow SET fee_bps = 100", ["4:"]),
    "a version that is missing": (
        "UPDATE settlement_entry SET account_version = 7 WHERE account_version = 2",
        ["5:"],
    ),
    "a receipt that was touched up": (
        "UPDATE settlement_receipt SET body = replace(body, ':9500', ':9600')",
        ["8:"],
    ),
    "a receipt that is gone": ("DELETE FROM settlement_receipt", ["8:"]),
    "a settlement without a record": (
        """UPDATE reputation_evidence SET kind = 'pact.published' WHERE kind = 'escrow.settled'""",
        ["8:", "proof:", "standing:"],
    ),
    "an envelope that was rewritten": (
        r"""UPDATE reputation_evidence SET envelope = replace(envelope, '9500', '9600'),
               leaf_hash = sha256('\x00'::bytea
                                  || convert_to(replace(envelope, '9500', '9600'), 'UTF8'))
             WHERE kind = 'escrow.settled'""",
        ["proof:"],
    ),
    "a payload that was swapped": (
        "UPDATE reputation_evidencepayload SET sealed = 'other'",
        ["proof:"],
    ),
    "a log with a gap": ("DELETE FROM reputation_logentry WHERE index = 3", ["proof:"]),
    "evidence that waits for ever": (
        """INSERT INTO reputation_evidencequeue (evidence_id, leaf_hash)
           SELECT evidence_id, leaf_hash FROM reputation_logentry WHERE index = 1""",
        ["proof:"],
    ),
    "an observation that was lost": (
        f"DELETE FROM pacts_observation WHERE id = {LAST.format('pacts_observation')}",
        ["work:"],
    ),
    "a trial that was smuggled in": (
        """INSERT INTO pacts_trial (evaluation_id, task_id, repeat, position, state, attempt, fault,
                                    error_code, error_message, input_digest, output_digest, variant,
                                    cost_micros)
           SELECT evaluation_id, task_id, 9, 999, 'done', 1, 'none', '', '', '', '', '', 0
             FROM pacts_trial LIMIT 1""",
        ["work:"],
    ),
    "a verdict that counts more than was tried": (
        "UPDATE pacts_clauseverdict SET passes = passes + 1",
        ["work:"],
    ),
    "a standing that was polished": (
        "UPDATE reputation_standing SET passes = passes + 100",
        ["standing:"],
    ),
}


def settled_story() -> Story:
    with story_of(cast.echo) as story:
        story.alice_hires_and_pays()
        story.the_work_is_judged(at=story.judged_at)
        run_trials(story.delivery.evaluation.id)
    story.alice_accepts(at=story.judged_at)
    while sequencer.sequence_batch() or standings.update_standings():
        pass
    return story


def rules_broken() -> list[str]:
    """The first words of what the checker says, without repeats."""
    connection.ensure_connection()
    return sorted(
        {
            sentence.split(" ")[0]
            for sentence in problems(connection.connection, secret_key=settings.SECRET_KEY)
        }
    )


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


def test_every_single_forgery_is_found() -> None:
    settled_story()
    assert rules_broken() == []
    found = {}
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
        for name, (forgery, _) in FORGERIES.items():
            cursor.execute("SAVEPOINT honest")
            cursor.execute(forgery)
            assert cursor.rowcount > 0, f"{name} forged nothing"
            found[name] = rules_broken()
            cursor.execute("ROLLBACK TO honest")
        cursor.execute("SET session_replication_role = origin")
    assert rules_broken() == []
    assert found == {name: rules for name, (_, rules) in FORGERIES.items()}
