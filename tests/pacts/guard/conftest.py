"""A receiver, and guards that send to it at once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pacts.guard import PactGuard
from tests.pacts.guard.receiving import Receiver, receiver

Guards = Callable[..., Any]


@pytest.fixture
def market() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def guards(market: Receiver, tmp_path: Path) -> Iterator[Guards]:
    made: list[PactGuard] = []

    def make(**settings: Any) -> PactGuard:
        told = {
            "agent_version": "agv_0190f3c2",
            "base_url": market.address,
            "api_key": "ek_test",
            "spool": tmp_path / "spool",
            "linger_seconds": 0.001,
            "first_pause": 0.02,
        }
        guard = PactGuard(**(told | settings))
        made.append(guard)
        return guard

    yield make
    for guard in made:
        guard.close(0.5)
