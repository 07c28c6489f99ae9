"""Settings of the bench's yardstick, django-hordak, in a database of its own."""

import os

from marketplace.settings import database

SECRET_KEY = "bench"  # noqa: S105 - nothing is signed
DATABASES = {"default": database(os.environ["DATABASE_URL"])}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True
HORDAK_INTERNAL_CURRENCY = DEFAULT_CURRENCY = "USD"
CURRENCIES = HORDAK_CURRENCIES = ["USD"]
