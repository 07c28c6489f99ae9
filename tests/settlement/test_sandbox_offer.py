"""Play money is offered only where it is meant."""

from typing import Any

import pytest

from marketplace.checks import money_is_real
from settlement.rails import RailUnknown, rail_named


def test_without_its_switch_the_sandbox_gives_no_money_away(settings: Any) -> None:
    settings.SANDBOX_RAIL = False
    with pytest.raises(RailUnknown):
        rail_named("sandbox")


def test_a_demonstration_is_warned_that_its_money_is_not_real(settings: Any) -> None:
    settings.DEVELOPMENT = False
    settings.SANDBOX_RAIL = True
    assert [found.id for found in money_is_real(None)] == ["earnest.W002"]
