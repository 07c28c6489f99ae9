"""What every test rests on."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import TransactionTestCase

from pacts import runner
from tests import databases


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    django_db_keepdb: bool,
    django_db_createdb: bool,
    django_db_blocker: Any,
) -> None:
    """Each process of a run copies one migrated database instead of migrating its own."""
    if django_db_keepdb and not django_db_createdb:
        return
    database: Any = settings.DATABASES["default"]
    with django_db_blocker.unblock():
        database["TEST"]["TEMPLATE"] = databases.migrated(str(database["NAME"]))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """What a transactional test committed is deleted at its end."""
    with pytest.MonkeyPatch.context() as patch:
        with django_db_blocker.unblock():
            empty = databases.Emptying()
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: empty())
        yield


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """Hashing a password slowly is right for people and a second of every test that logs in."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _no_way_out_is_left_behind() -> Iterator[None]:
    """Made once with the settings of its time: the next test may allow loopback or forbid it."""
    yield
    if runner.egress.cache_info().currsize:
        runner.egress().close()
        runner.egress.cache_clear()
