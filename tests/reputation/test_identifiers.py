"""Public ids."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db.migrations.writer import MigrationWriter

from reputation.fields import PublicIdField
from reputation.identifiers import IdentifierPrefixMalformed, is_id, new_id


def test_ids_sort_as_text_in_the_order_they_were_made() -> None:
    made = [new_id("evd") for _ in range(5000)]
    assert made == sorted(set(made))


def test_threads_never_make_the_same_id_and_each_sees_its_own_order() -> None:
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda _: [new_id("evd") for _ in range(500)], range(8)))
    assert all(batch == sorted(batch) for batch in batches)
    assert len({one for batch in batches for one in batch}) == 4000


@pytest.mark.parametrize("prefix", ["", "e", "EVD", "evd_", "év", "a1", "muchtoolong", "evd\n"])
def test_a_prefix_that_is_not_a_short_word_is_refused(prefix: str) -> None:
    with pytest.raises(IdentifierPrefixMalformed):
        new_id(prefix)


@pytest.mark.parametrize(
    "text",
    ["", "evd", "evd_", "evd_A", "evd_1 2", "evd_1\n", "a@b.example", None, 7, "evd_" + "1" * 33],
)
def test_what_is_not_an_id_is_not_taken_for_one(text: object) -> None:
    assert not is_id(text)


def test_a_migration_writes_the_field_by_its_prefix() -> None:
    written, _ = MigrationWriter.serialize(PublicIdField("agt", primary_key=True))
    assert "PublicIdField('agt'" in written
    assert "default" not in written
