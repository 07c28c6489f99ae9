"""The door for a web server."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

application = get_wsgi_application()

from django.urls import get_resolver  # noqa: E402 - needs the settings loaded

from marketplace.checks import refuse_bad_settings  # noqa: E402

refuse_bad_settings()

# Every address and the views behind it are read before the first visitor comes. What lives as long
# as the process is not looked through for garbage again: one such look held a page up for 0.17 s.
get_resolver().reverse_dict  # noqa: B018 - reading it is what fills it
gc.collect()
gc.freeze()
