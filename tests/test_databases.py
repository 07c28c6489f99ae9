"""Between two tests the database is as `migrate` leaves it, however little that took."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection

from pacts.models import User
from reputation.models import Evidence
from tests import cast, databases
from tests.reputation.cast import record, taskset

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def empty() -> Iterator[databases.Emptying]:
    emptying = databases.Emptying()
    yield emptying
    emptying()


def rows_of(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        return int(cursor.fetchone()[0])


def test_nothing_is_left_of_what_was_committed_nor_of_what_is_only_appended_to(
    empty: databases.Emptying,
) -> None:
    for _ in range(7):  # more often than a statement must come to be prepared
        cast.alice()
        record(taskset())
        empty()
        assert {name for name in databases.tables(keep=True) if rows_of(name)} == set()


def test_what_is_only_appended_to_refuses_deletion_as_before(empty: databases.Emptying) -> None:
    empty()
    record(taskset())
    with pytest.raises(DatabaseError, match="refused"), connection.cursor() as cursor:
        cursor.execute("UPDATE reputation_evidence SET kind = 'other'")
    assert Evidence.objects.filter(kind="taskset.committed").count() == 1


def test_whom_a_permission_is_about_stays_known(empty: databases.Emptying) -> None:
    before = set(Permission.objects.values_list("id", "codename"))
    cast.alice()
    empty()
    assert before
    assert set(Permission.objects.values_list("id", "codename")) == before
    assert ContentType.objects.get_for_model(User).model_class() is User


def test_a_permission_that_a_test_took_away_is_back(empty: databases.Emptying) -> None:
    before = set(Permission.objects.values_list("content_type__model", "codename"))
    Permission.objects.filter(codename="add_user").delete()
    empty()
    assert set(Permission.objects.values_list("content_type__model", "codename")) == before
