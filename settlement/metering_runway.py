"""How far a budget still goes, and whether calls may still be made on it: for pages and routers."""

from datetime import datetime, timedelta

from pacts.models import Call, CallStream
from settlement import metering_windows
from settlement.metering import Runway, runway_of
from settlement.metering_cases import MeterCase, case_of
from settlement.models import Meter

MOST_CALLS = 1_000
LOOK_BACK = timedelta(days=7)


def runway(*, meter: Meter, now: datetime) -> Runway:
    """What is left of a funded budget, with windows that are not settled yet priced as if met."""
    case = case_of(meter)
    window = case.window
    return runway_of(
        tariff=case.tariff,
        available=meter.available,
        open_windows=metering_windows.open_prices(case, now=now) if meter.funded_at else [],
        calls_per_second=_rate(case, now),
        calls_per_window=window.size if window.kind == "calls" else None,
        seconds_per_window=(window.size or 0) * 86_400 if window.kind == "days" else None,
    )


def is_authorised(*, meter: Meter, now: datetime) -> bool:
    """Whether a call received now would be paid for: funded, running, in time, and covered."""
    if meter.state != Meter.State.RUNNING or meter.expires_at is None or now > meter.expires_at:
        return False
    return runway(meter=meter, now=now).free > 0


def _rate(case: MeterCase, now: datetime) -> float | None:
    """Calls per second of the last calls, at most a week back; None where there were too few."""
    streams = CallStream.objects.filter(pk__in=[one.pk for one in case.streams()])
    rows = Call.objects.filter(stream__in=streams, received_at__gte=now - LOOK_BACK)
    moments = list(rows.order_by("-id").values_list("received_at", flat=True)[:MOST_CALLS])
    if len(moments) < 2:
        return None
    seconds = (now - min(moments)).total_seconds()
    return len(moments) / seconds if seconds > 0 else None
