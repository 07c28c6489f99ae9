"""The Celery application. Messages are hints; `tasks.py` of each app holds what they hint at."""

import os
from importlib import import_module
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

APPS = ("reputation", "pacts", "settlement", "marketplace")

app = Celery("earnest")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def beat_schedule() -> dict[str, dict[str, Any]]:
    """What beat does by the clock: each app's `tasks.SCHEDULE`. Needs the apps to be loaded.

    A sweep that waited too long is dropped: workers that come back find no pile of old ones.
    """
    schedules = [import_module(f"{name}.tasks").SCHEDULE for name in APPS]
    together = {
        name: {**entry, "options": {"expires": max(10.0, 2 * entry["schedule"])}}
        for schedule in schedules
        for name, entry in schedule.items()
    }
    assert len(together) == sum(map(len, schedules)), "two apps use one name in their SCHEDULE"
    return together
