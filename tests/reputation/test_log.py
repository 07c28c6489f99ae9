"""The log's tiles, heads, proofs and audit, on real rows; a DBA who rewrites it is found."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from reputation import audit, bundles, checkpoints, keys, merkle, notes, proofs, tiles
from reputation.audit import SeenHead
from reputation.envelope import leaf_hash
from reputation.models import Checkpoint, Evidence, LogEntry, LogKey, Tile
from reputation.sequencer import sequence_batch
from tests.reputation.cast import NOON, record, taskset

pytestmark = pytest.mark.django_db


def logged(many: int) -> list[Evidence]:
    made = record(*[taskset(f"tst_{number}") for number in range(many)])
    while sequence_batch(limit=500):
        pass
    return made


def signed(many: int, *, later: int = 0) -> Checkpoint:
    logged(many)
    return checkpoints.sign_now(now=NOON + timedelta(seconds=later))


def leaves() -> list[bytes]:
    return [
        bytes(one) for one in LogEntry.objects.order_by("index").values_list("leaf_hash", flat=True)
    ]


@contextmanager
def as_superuser() -> Iterator[Any]:
    """SQL as somebody who may switch triggers and keys off."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield cursor
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")


def seen(head: Checkpoint, where: str = "an old receipt") -> SeenHead:
    return SeenHead(head.size, bytes(head.root), where)


# --- tiles ----------------------------------------------------------------------------------------


def test_complete_tiles_are_stored_as_batches_complete_them_and_the_rest_is_read_below() -> None:
    logged(255)
    assert not Tile.objects.exists()
    logged(2)
    (tile,) = Tile.objects.all()
    assert bytes(tile.hashes) == b"".join(leaves()[:256])
    assert bytes(tile.root) == merkle.root_of(b"".join(leaves()[:256]))
    assert tiles.row(level=0, first=256, count=1) == leaves()[256]
    assert tiles.row(level=1, first=0, count=1) == bytes(tile.root)


def test_a_log_without_tiles_builds_them_all_at_its_next_batch() -> None:
    logged(700)
    with as_superuser() as cursor:
        cursor.execute("DELETE FROM reputation_tile")
    logged(1)
    assert Tile.objects.count() == 2


def test_tiles_cost_at_most_an_eighth_of_what_they_prove() -> None:
    logged(512)
    entries = sum(len(one.envelope.encode()) for one in Evidence.objects.all())
    stored = sum(len(bytes(one.hashes)) + len(bytes(one.root)) for one in Tile.objects.all())
    assert stored / entries <= 0.12


@pytest.mark.parametrize(
    ("tile", "width", "place"),
    [
        (0, 256, "000"),
        (7, 3, "007.p/3"),
        (1000, 256, "x001/000"),
        (1_234_067, 256, "x001/x234/067"),
        (1_234_067, 255, "x001/x234/067.p/255"),
    ],
)
def test_places_are_written_as_the_specification_writes_them(
    tile: int, width: int, place: str
) -> None:
    assert tiles.written_place(tile=tile, width=width) == place
    assert tiles.read_place(place) == (tile, width)


@pytest.mark.parametrize(
    "place", ["", "0", "x001", "001/002", "x000/001", "000.p/0", "000.p/256", "000.p/01", "000/"]
)
def test_other_spellings_of_a_place_are_no_place(place: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        tiles.read_place(place)


def test_nobody_edits_a_tile_or_a_head() -> None:
    signed(256)
    for table in ("reputation_tile", "reputation_checkpoint", "reputation_cosignature"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")


# --- heads ----------------------------------------------------------------------------------------


def test_a_head_is_signed_over_exactly_the_log() -> None:
    head = signed(300)
    found = notes.read_checkpoint(checkpoints.text_of(head), keys.vkeys())
    assert (found.size, found.root) == (300, merkle.root_of(b"".join(leaves())))


def test_a_head_is_signed_when_there_is_news_and_the_last_one_is_old_enough() -> None:
    first = signed(3)
    assert checkpoints.sign_when_due(now=NOON + timedelta(minutes=1)) is None
    logged(1)
    assert checkpoints.sign_when_due(now=NOON + timedelta(seconds=1)) is None
    due = checkpoints.sign_when_due(now=NOON + checkpoints.EVERY)
    assert due is not None
    assert (first.size, due.size) == (3, 4)
    assert checkpoints.EVERY + timedelta(seconds=3) < timedelta(seconds=10)


def test_an_empty_log_has_a_head_too() -> None:
    head = checkpoints.newest_or_first(now=NOON)
    assert (head.size, bytes(head.root)) == (0, merkle.EMPTY_ROOT)


def test_a_smaller_head_never_follows_a_larger_one() -> None:
    head = signed(5)
    with pytest.raises(IntegrityError, match="follows a larger one"), transaction.atomic():
        Checkpoint.objects.create(
            size=4, root=head.root, key=head.key, note=head.note, signed_at=NOON
        )


def test_a_rewritten_log_is_not_signed_again() -> None:
    signed(5)
    logged(1)
    with as_superuser() as cursor:
        cursor.execute("UPDATE reputation_logentry SET leaf_hash = %s WHERE index = 2", [bytes(32)])
    with pytest.raises(checkpoints.LogRewritten, match="run `manage"):
        checkpoints.sign_now(now=NOON)
    with as_superuser() as cursor:
        cursor.execute("DELETE FROM reputation_logentry WHERE index >= 3")
    with pytest.raises(checkpoints.LogRewritten):
        checkpoints.sign_now(now=NOON)


def test_a_new_key_keeps_the_origin_and_old_heads_stay_verifiable() -> None:
    old = signed(2)
    keys.rotate(now=NOON)
    new = signed(2, later=9)
    assert LogKey.objects.count() == 2
    assert old.key.origin == new.key.origin
    for head in (old, new):
        notes.read_checkpoint(head.note, keys.vkeys())


# --- proofs ---------------------------------------------------------------------------------------


def test_every_entry_has_a_proof_and_every_head_contains_the_earlier_ones() -> None:
    heads = [signed(many, later=many) for many in (1, 254, 1, 44, 300)]
    newest = heads[-1]
    ids = list(Evidence.objects.values_list("pk", flat=True))
    found = proofs.inclusions(evidence_ids=ids, under=newest)
    assert len(found) == newest.size
    for one in found.values():
        merkle.verify_inclusion(
            leaf=leaves()[one.index],
            index=one.index,
            size=newest.size,
            root=bytes(newest.root),
            proof=one.hashes,
        )
        break
    for index in (0, 255, 256, 299, 599):
        alone = proofs.inclusion(index=index, size=newest.size)
        (batched,) = [one for one in found.values() if one.index == index]
        assert alone == list(batched.hashes)
    for old in heads:
        merkle.verify_consistency(
            old=old.size,
            old_root=bytes(old.root),
            new=newest.size,
            new_root=bytes(newest.root),
            proof=proofs.consistency(old=old.size, new=newest.size),
        )


def test_a_proof_in_the_public_format_stands_alone() -> None:
    (one, *_) = logged(3)
    with pytest.raises(proofs.NotYetProvable):
        proofs.tlog_proof(evidence_id=one.pk)
    checkpoints.sign_now(now=NOON)
    proof = notes.read_proof(str(proofs.tlog_proof(evidence_id=one.pk)))
    head = notes.read_checkpoint(proof.note, keys.vkeys())
    merkle.verify_inclusion(
        leaf=leaf_hash(one.envelope.encode()),
        index=proof.index,
        size=head.size,
        root=head.root,
        proof=proof.hashes,
    )


def test_what_no_head_covers_waits_in_a_bundle() -> None:
    (first, *_) = logged(2)
    checkpoints.sign_now(now=NOON)
    (late,) = record(taskset())
    bundle = bundles.bundle(evidence_ids=[late.pk, first.pk])
    assert [entry["id"] for entry in bundle["entries"]] == [first.pk]
    assert bundle["waiting"] == [late.pk]


# --- the audit ------------------------------------------------------------------------------------


def test_a_good_log_has_no_finding() -> None:
    heads = [signed(many, later=many) for many in (3, 300, 40)]
    logged(5)
    report = audit.rehash(heads=[seen(head) for head in heads], chunk=256)
    assert (report.entries, report.heads, report.findings) == (348, 6, [])


def rewrite(index: int, cursor: Any) -> None:
    """Change a fact and everything derived from it in its own row and its entry."""
    entry = LogEntry.objects.get(index=index)
    text = Evidence.objects.get(pk=entry.evidence_id).envelope.replace('"tasks":50', '"tasks":51')
    leaf = leaf_hash(text.encode())
    cursor.execute(
        "UPDATE reputation_evidence SET envelope = %s, leaf_hash = %s WHERE id = %s",
        [text, leaf, entry.evidence_id],
    )
    cursor.execute("UPDATE reputation_logentry SET leaf_hash = %s WHERE index = %s", [leaf, index])


@pytest.mark.parametrize("index", [0, 255, 256, 511])
def test_an_update_is_found_at_its_index(index: int) -> None:
    signed(600)
    with as_superuser() as cursor:
        rewrite(index, cursor)
    assert audit.rehash(chunk=256).first_bad == index


def test_an_update_of_the_envelope_alone_is_found_even_beyond_the_last_head() -> None:
    signed(3)
    logged(4)
    with as_superuser() as cursor:
        cursor.execute(
            "ALTER TABLE reputation_evidence DROP CONSTRAINT evidence_leaf_hash_is_rfc6962"
        )
        late = LogEntry.objects.get(index=5).evidence_id
        cursor.execute("UPDATE reputation_evidence SET envelope = '{}' WHERE id = %s", [late])
    assert audit.rehash().first_bad == 5


@pytest.mark.parametrize("index", [0, 100, 255, 256, 599])
def test_a_deletion_is_found_at_its_index_and_told_once(index: int) -> None:
    signed(600)
    with as_superuser() as cursor:
        cursor.execute("DELETE FROM reputation_logentry WHERE index = %s", [index])
    report = audit.rehash(chunk=256)
    assert report.first_bad == index
    assert sum("there is no entry" in str(one) for one in report.findings) <= 1


def test_deleted_evidence_is_found_at_its_index() -> None:
    signed(10)
    with as_superuser() as cursor:
        gone = LogEntry.objects.get(index=4).evidence_id
        cursor.execute("DELETE FROM reputation_evidencesubject WHERE evidence_id = %s", [gone])
        cursor.execute("DELETE FROM reputation_evidence WHERE id = %s", [gone])
    assert audit.rehash().first_bad == 4


def swap(one: int, other: int, cursor: Any) -> None:
    cursor.execute("ALTER TABLE reputation_logentry DROP CONSTRAINT log_entry_once")
    cursor.execute(
        """UPDATE reputation_logentry AS a SET evidence_id = b.evidence_id, leaf_hash = b.leaf_hash
             FROM reputation_logentry AS b
            WHERE (a.index, b.index) IN ((%s, %s), (%s, %s))""",
        [one, other, other, one],
    )


def test_a_swap_is_found_at_the_first_of_the_two() -> None:
    signed(600)
    with as_superuser() as cursor:
        swap(17, 430, cursor)
    assert audit.rehash(chunk=256).first_bad == 17


@pytest.mark.parametrize("heads", [(4, 4, 4), (300, 4, 4), (254, 4, 300)])
def test_what_no_tile_holds_is_found_at_its_index(heads: tuple[int, ...]) -> None:
    for later, many in enumerate(heads):
        signed(many, later=later)
    last = sum(heads) - 1
    with as_superuser() as cursor:
        rewrite(last - 1, cursor)
    report = audit.rehash(chunk=256)
    assert report.first_bad == last - 1
    assert "this one changed" in str(report.findings[-1])


def test_a_swap_that_no_tile_holds_is_found_at_the_first_of_the_two() -> None:
    for later, many in enumerate((4, 4, 4)):
        signed(many, later=later)
    with as_superuser() as cursor:
        swap(5, 10, cursor)
    assert audit.rehash().first_bad == 5


def test_each_hash_is_kept_beside_one_head_at_most_and_never_the_ones_in_tiles() -> None:
    sizes = (4, 100, 200, 1, 207, 40)
    for later, many in enumerate(sizes):
        signed(many, later=later)
    kept = b"".join(bytes(head.tail) for head in Checkpoint.objects.order_by("size"))
    known = leaves()
    assert kept == b"".join(known[:104] + known[256:305] + known[512:552])


def test_where_every_copy_of_the_hashes_was_rewritten_two_heads_name_the_range() -> None:
    for later, many in enumerate((4, 4, 4)):
        signed(many, later=later)
    with as_superuser() as cursor:
        swap(5, 6, cursor)
        cursor.execute("UPDATE reputation_checkpoint SET tail = ''")
    report = audit.rehash()
    assert report.first_bad == 4
    assert "one of 4 to 7 changed" in str(report.findings[0])


def cut_and_signed_again() -> Checkpoint:
    """A DBA cuts the tail with all that remembers it, and lets the log grow and sign anew."""
    old = signed(600)
    with as_superuser() as cursor:
        cursor.execute("DELETE FROM reputation_checkpoint")
        cursor.execute("DELETE FROM reputation_tile WHERE index >= 1")
        tail = "IN (SELECT evidence_id FROM reputation_logentry WHERE index >= 400)"
        cursor.execute(f"DELETE FROM reputation_evidencesubject WHERE evidence_id {tail}")
        cursor.execute(f"DELETE FROM reputation_evidence WHERE id {tail}")
        cursor.execute("DELETE FROM reputation_logentry WHERE index >= 400")
    return old


def test_a_cut_and_signed_tail_is_found_by_any_old_receipt() -> None:
    old = cut_and_signed_again()
    signed(300)
    assert audit.rehash().findings == []  # from the inside alone it looks whole
    report = audit.rehash(heads=[seen(old)])
    assert report.first_bad is not None
    assert "an old receipt" in str(report.findings[0])


def test_a_shorter_log_is_found_by_any_old_receipt() -> None:
    old = cut_and_signed_again()
    checkpoints.sign_now(now=NOON)
    report = audit.rehash(heads=[seen(old)])
    assert report.first_bad == 400


def test_a_cut_tail_whose_evidence_was_left_is_found_without_any_receipt() -> None:
    signed(20)
    with as_superuser() as cursor:
        cursor.execute("DELETE FROM reputation_checkpoint")
        cursor.execute("DELETE FROM reputation_logentry WHERE index >= 12")
    assert audit.rehash().first_bad == 12


def test_a_head_nobody_signed_is_found() -> None:
    head = signed(4)
    with as_superuser() as cursor:
        cursor.execute(
            "UPDATE reputation_checkpoint SET note = %s", [head.note.replace("\n4\n", "\n3\n")]
        )
    assert audit.rehash().findings
