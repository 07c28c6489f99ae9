"""Play money is offered only where it is meant."""

from typing import Any

import pytest

from settlement.rails import RailUnknown, rail_named


def test_without_its_switch_the_sandbox_gives_no_money_away(settings: Any) -> None:
    settings.SANDBOX_RAIL = False
    with pytest.raises(RailUnknown):
        rail_named("sandbox")
