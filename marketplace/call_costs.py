"""What calls cost, from millionths of a unit to minor units. Pure."""

from pacts.currencies import EXPONENTS

MICROS = 1_000_000


def cost_of(*, calls: int | None, call_micros: int | None, currency: str) -> int | None:
    """Minor units of so many calls, rounded up; None where the calls or their price are unknown.

    Raises KeyError for a currency the ledger does not keep.
    """
    if calls is None or call_micros is None:
        return None
    minor = calls * call_micros * int(10 ** EXPONENTS[currency])
    return -(-minor // MICROS)
