"""The Celery application. Messages are hints; `tasks.py` of each app holds what they hint at."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

app = Celery("earnest")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
