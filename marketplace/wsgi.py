"""The door for a web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

application = get_wsgi_application()

from marketplace.checks import refuse_bad_settings  # noqa: E402 - needs the settings loaded

refuse_bad_settings()
