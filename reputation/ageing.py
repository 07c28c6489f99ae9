"""How much evidence of some age is worth: forward decay in whole numbers, half-life 14 days."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from functools import cache

HALF_LIFE = timedelta(days=14)
LANDMARK = datetime(2025, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_HOURS_PER_HALF_LIFE = HALF_LIFE // _HOUR
_UNIT_BITS = 64


def weight(at: datetime) -> int:
    """floor(2^(64 + h/336)), h the whole hours since 2025-01-01 UTC: doubles every 14 days.

    A unit observed then is worth weight(then) / weight(now) units now. Forward decay (Cormode et
    al., 2009) instead of shrinking old counts: sums stay exact, and no row changes by ageing.
    """
    halvings, hours = divmod((at - LANDMARK) // _HOUR, _HOURS_PER_HALF_LIFE)
    step = _step(hours)
    return step << halvings if halvings >= 0 else max(1, step >> -halvings)


def hour_of(at: datetime) -> datetime:
    """The start of the hour: within it every weight, and so every score, stays the same."""
    return LANDMARK + (at - LANDMARK) // _HOUR * _HOUR


@cache
def _step(hours: int) -> int:
    with localcontext() as context:
        context.prec = 80
        return int(Decimal(2) ** (_UNIT_BITS + Decimal(hours) / _HOURS_PER_HALF_LIFE))
