"""What the tests of needs share: cheap passwords, plain files, and agents on loopback."""

from typing import Any

import pytest

from pacts import runner


@pytest.fixture(autouse=True)
def _as_pages_need_it(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    storages = dict(settings.STORAGES)
    backend = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = storages | {"staticfiles": {"BACKEND": backend}}
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()
