"""What allauth brings works with people whose ids are the site's own."""

import re
from typing import Any

import pytest
from django.core import mail

from tests import cast
from tests.marketplace.pages.browsers import browser

pytestmark = pytest.mark.django_db


def test_a_forgotten_password_is_replaced_through_the_mailed_link(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    cast.alice()
    client, new = browser(), "another long passphrase"
    client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    found = re.search(r"/accounts/password/reset/key/\S+", str(mail.outbox[0].body))
    assert found, mail.outbox[0].body
    form = client.get(found[0], follow=True)
    assert form.status_code == 200
    client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert client.login(email="alice@example.org", password=new)
