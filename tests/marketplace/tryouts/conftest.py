"""What the tests of tryouts share: plain files, and agents on loopback."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _as_pages_need_it(settings: Any) -> None:
    storages = dict(settings.STORAGES)
    backend = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = storages | {"staticfiles": {"BACKEND": backend}}
    settings.EGRESS_ALLOW_LOOPBACK = True
