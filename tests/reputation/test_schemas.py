"""What a kind of evidence may state is settled with its version, and stays so for ever."""

from hashlib import sha256

import pytest

from reputation import schemas
from reputation.canonical import canonical

# Kind, version, and the first 16 hex digits of the SHA-256 of its schema (RFC 8785). A row is never
# edited and never removed: strangers verify what they kept against the schema it was written under.
FROZEN = """
adjudicator.assigned 1 eb26f6c38fb8c443
adjudicator.recused 1 cda3a7eb1f709cde
agent.control_proved 1 cecefb2920a3f354
agent.registered 1 25e0af03317e0687
artifacts.erased 1 ea76350dd5f1dba9
call.replayed 1 6a119188648b36c0
calls.draw_committed 1 a1965bfa11754f43
calls.draw_opened 1 430d2a595c31cf7a
calls.erased 1 f0c50b4e98f0832a
cancellation.closed 1 93446d9d5a127014
cancellation.proposed 1 109a0d09c106889d
claim.recorded 1 5d30b5e87d907d3e
control.cleared 1 bea666f5406fc83e
control.fired 1 9831ccfe7f09a935
control.fired 2 4b7fe8eb1bf50595
control.overridden 1 a617f69f27402798
control.review_overdue 1 bc626cd21c4c006c
control.reviewed 1 ff0b085d122f60a8
control.set 1 0fa0766988579770
delivery.accepted 1 d61b67e5d3de733c
delivery.requested 1 d8f1f3d0fbcb18b4
deposit.failed 1 c32b29cf5347a912
deposit.received 1 bbda2924f44de29e
dispute.advanced 1 114c7c3ff9d2b46f
dispute.answered 1 c844b27b0c501544
dispute.appealed 1 503175bdde5b6eb1
dispute.closed 1 3bbb89d24f06afdf
dispute.defaulted 1 a762ef19867ece76
dispute.opened 1 e7d6185fca7ea17a
dispute.opened 2 9b21f4b94b6008f8
dispute.opened 3 18ebadd66c178d69
drift.found 1 3a808ec25268ce1f
engagement.lapsed 1 b7b581885cff7430
engagement.proposed 1 9ea1a0ad87e42865
engagement.signed 1 f53abbfc8c4ef28b
escrow.frozen 1 6a3a712108c53c13
escrow.funded 1 b4e2f15e3f61a2cc
escrow.funded 2 27a53ee6c988fa84
escrow.settled 1 4404644a935694d2
escrow.settled 2 346c5d0c7516be97
escrow.withheld 1 3b613c394f5b98b2
evaluation.awaited 1 8cfa1551ee1d2cff
evaluation.begun 1 91b0c1c0dbce4198
evaluation.cancelled 1 50adb2ceb089f90f
evaluation.concluded 1 1814383342a71a87
evaluation.concluded 2 f7a409c63c38a091
evaluation.heard 1 e1309383bfc3af16
evaluation.rerun 1 a9ab56df96b26e43
evaluation.started 1 e332cdb87844d004
evaluator.ended 1 dbf45d295fa3693b
evaluator.offered 1 80cddfb2832d05f2
exhibit.added 1 23f8d9206c6b1263
filing.ended 1 083449486cfbd3b5
finding.replied 1 ecbb3f8755e07b36
gaming.found 1 7bcc2f090ae8ebd2
gaming.frozen 1 d412f65026c12ffe
gaming.released 1 ae1927977bbdc937
hook.disabled 1 e212f4a2270bcbd4
incident.assigned 1 de0b57d0a122a09f
incident.opened 1 e9e8fdb4905ea45b
incident.resolved 1 915778d0965edc73
jury.calibrated 1 61591667eedc10af
jury.registered 1 141c20d6f0f92ca0
listing.opened 1 88d55ab4fbd4c741
listing.opened 2 7130ee3c9269c2c8
meter.closing 1 9d9baeffec160d6f
meter.ended 1 d690b775d6152b5d
meter.frozen 1 570c14ccf2aba201
meter.funded 1 45fb044b3e2f38e6
meter.paused 1 3427dd09825fbbd7
meter.resumed 1 5a076237889fd942
meter.settled 1 4aabd608c27f95f2
meter.waived 1 4a833672b9c4b950
meter.withheld 1 908688e9edadaa9b
model.changed 1 1d871d988826a163
model.changed 2 d0722bcc84e80f32
pact.published 1 7833a850e1797182
pact.published 2 ae848a207b4fd575
payload.erased 1 9401107ac811a786
payout.cancelled 1 5b1651c91e89acf8
payout.failed 1 c5cb7bbcd90d4f96
payout.paid 1 e30fb2d56b33e5eb
payout.requested 1 3af8cc0fe4757ce1
policy.changed 1 248155e0ecd791a5
policy.changed 2 e3b0ba1f36a7adf5
precedent.published 1 5d14eafdfefd3102
precedent.reviewed 1 1da1e8cd565dde72
refund.cancelled 1 9042ab542bb06115
refund.failed 1 7da75b2084795813
refund.paid 1 f11db89ce47a94ea
refund.requested 1 278c81b7c960a22e
review.committed 1 d246ce31cd92f987
review.drawn 1 3886843548f4352a
route.switched 1 4044f194ed7e066f
ruling.made 1 507040e33d659b14
ruling.made 2 3208772e1a0b75a4
ruling.reviewed 1 0272c5c132dda25a
run.imported 1 135d1ef7ae438037
shadow.concluded 1 b3aac78c11dbd70b
shadow.started 1 1fd05cacd1839a89
taskset.committed 1 2ba20ce8d9445aef
taskset.committed 2 dc91df00e4e9990e
version.changed 1 e28bdb8c0bf8adb4
version.changed 2 ff19af73059ea37d
window.breached 1 7f04a421f125d790
window.concluded 1 2aa172518e94f809
need.closed 1 d1d406541cdacb58
need.posted 1 4a53ec26ac803c7c
need.revealed 1 c4f2b5a9cf6acbca
offer.ended 1 0b82e7f2d5dd98ec
offer.revealed 1 3bcecd957a945e36
offer.sealed 1 12d27514775419ef
offer.taken_back 1 88634727819930d1
pact.agreed 1 edf257f8e03f4dc1
pact.asked 1 f8844ac47228afd4
"""
TABLE = {
    (kind, int(version)): digest
    for kind, version, digest in (row.split() for row in FROZEN.strip().splitlines())
}


def digest(kind: str, version: int) -> str:
    """Of the schema without the list of roles it may name: a new role changes no kind."""
    found = schemas.schema_of(kind=kind, version=version)
    found["subjects"] = found["properties"].pop("subjects")["required"]
    return sha256(canonical(found)).hexdigest()[:16]


@pytest.mark.parametrize(("kind", "version"), sorted(TABLE))
def test_a_published_schema_never_changes(kind: str, version: int) -> None:
    assert digest(kind, version) == TABLE[kind, version], (
        f"{kind} states something else than version {version} was published with: raise its "
        "version in reputation/kinds.py, keep the old one in reputation/schemas.py"
    )


def test_every_published_schema_is_frozen_here() -> None:
    new = [f"{k} {v} {digest(k, v)}" for k, v in schemas.published() if (k, v) not in TABLE]
    assert new == [], "freeze these as well: add the lines to FROZEN"


def test_versions_of_a_kind_have_no_gap() -> None:
    kinds = {kind for kind, _ in schemas.published()}
    for kind in kinds:
        versions = sorted(version for name, version in schemas.published() if name == kind)
        assert versions == list(range(1, len(versions) + 1)), kind
