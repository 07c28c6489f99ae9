"""A program may say in which language its user is written to; it is answered in English itself."""

import pytest

from tests import cast
from tests.marketplace.api.programs import program_of

pytestmark = pytest.mark.django_db


def test_the_user_behind_the_key_is_written_to_in_the_language_a_program_chose() -> None:
    program = program_of(cast.alice())
    assert program.get("language").json() == {"language": "en"}
    assert program.ask("PUT", "language", {"language": "de"}).json() == {"language": "de"}
    assert program.get("language").json() == {"language": "de"}


def test_a_language_that_nobody_speaks_here_is_refused_in_english() -> None:
    refused = program_of(cast.alice()).ask("PUT", "language", {"language": "tlh"})
    assert refused.status_code == 400
    assert "not a valid choice" in refused.content.decode()
