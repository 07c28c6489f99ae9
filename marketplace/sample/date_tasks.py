"""Tasks for reading calendar dates.

Benchmark: twelve machine and English formats, fourteen drawn days each: what logs, mail headers
and APIs hold, and what a date parser's own documentation shows: 168 tasks, locale en-US.

Buyer: a forwarder reads delivery dates out of forms filled in by customers in ten European
locales. `short` is CLDR's short numeric format of the customer's locale; `written` its medium,
long and full formats in turn; `mixed` an English or ISO date typed by a customer of another
locale; `noisy` CLDR's medium format in capitals, without accents and with doubled spaces.
`out_of_scope` is what else lands in a date field: a month without a day, a weekday, a time, a
day that does not exist, a reference, an amount, a quarter, a version. Those must be declined:
a shipment booked on an invented day costs more than a question to the customer.
"""

from collections.abc import Callable, Iterator
from datetime import date

from babel import dates, numbers

from marketplace.sample.draw import Draw
from marketplace.sample.language_tasks import drop_accents
from marketplace.sample.task import SampleTask

REFERENCE = date(2026, 3, 14)
LOCALES = (
    "da-DK",
    "de-DE",
    "en-GB",
    "es-ES",
    "fr-FR",
    "it-IT",
    "nl-NL",
    "pl-PL",
    "pt-PT",
    "sv-SE",
)
_FIRST, _LAST = date(2021, 1, 1), date(2029, 12, 31)
_BENCHMARK_DAYS = 14
_SHORT, _WRITTEN, _MIXED, _NOISY, _EACH_OUT_OF_SCOPE = 40, 30, 20, 20, 6

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _cldr(day: date, style: str, locale: str) -> str:
    # CLDR writes no-break spaces; a form field delivers plain ones.
    text = dates.format_date(day, style, locale=locale.replace("-", "_"))
    return str(text).replace("\u00a0", " ").replace("\u202f", " ")


def _abbreviate(day: date) -> str:
    return _MONTHS[day.month - 1]


BENCHMARK_FORMATS: dict[str, Callable[[date], str]] = {
    "iso": lambda d: d.isoformat(),
    "iso_basic": lambda d: f"{d:%Y%m%d}",
    "iso_time": lambda d: f"{d.isoformat()}T09:30:00Z",
    "iso_basic_time": lambda d: f"{d:%Y%m%d}T093000Z",
    "mail": lambda d: f"{_WEEKDAYS[d.weekday()]}, {d:%d} {_abbreviate(d)} {d.year} 09:30:00 +0000",
    "ctime": lambda d: f"{_WEEKDAYS[d.weekday()]} {_abbreviate(d)} {d.day:2} 09:30:00 {d.year}",
    "oracle": lambda d: f"{d:%d}-{_abbreviate(d)}-{d.year}",
    "slashes": lambda d: f"{d:%Y/%m/%d}",
    "us_short": lambda d: f"{d:%m/%d/%Y}",
    "us_medium": lambda d: _cldr(d, "medium", "en-US"),
    "us_long": lambda d: _cldr(d, "long", "en-US"),
    "us_full": lambda d: _cldr(d, "full", "en-US"),
}


def make_benchmark() -> list[SampleTask]:
    """168 tasks; the stratum is the format's name."""
    draw = Draw("dates/benchmark/1")
    tasks = []
    for name, write in BENCHMARK_FORMATS.items():
        for _ in range(_BENCHMARK_DAYS):
            day = draw.day(_FIRST, _LAST)
            tasks.append(_task(write(day), "en-US", day, name))
    return tasks


def make_buyer() -> list[SampleTask]:
    """158 tasks: 40 short, 30 written, 20 mixed, 20 noisy, 48 out of scope."""
    draw = Draw("dates/buyer/1")
    return [
        *_short(draw),
        *_written(draw),
        *_mixed(draw),
        *_noisy(draw),
        *_out_of_scope(draw),
    ]


def _task(text: str, locale: str, day: date | None, stratum: str) -> SampleTask:
    return SampleTask(
        input={"text": text, "locale": locale, "reference_date": REFERENCE.isoformat()},
        expected={"date": day.isoformat() if day else None},
        stratum=stratum,
        in_scope=day is not None,
    )


def _locale(index: int) -> str:
    return LOCALES[index % len(LOCALES)]


def _short(draw: Draw) -> Iterator[SampleTask]:
    for index in range(_SHORT):
        day = draw.day(_FIRST, _LAST)
        yield _task(_cldr(day, "short", _locale(index)), _locale(index), day, "short")


def _written(draw: Draw) -> Iterator[SampleTask]:
    for index in range(_WRITTEN):
        day, locale = draw.day(_FIRST, _LAST), _locale(index)
        style = ("medium", "long", "full")[index // len(LOCALES)]
        yield _task(_cldr(day, style, locale), locale, day, "written")


def _mixed(draw: Draw) -> Iterator[SampleTask]:
    abroad = [locale for locale in LOCALES if not locale.startswith("en")]
    for index in range(_MIXED):
        day = draw.day(_FIRST, _LAST)
        text = day.isoformat() if index % 2 else _cldr(day, "long", "en-US")
        yield _task(text, draw.one_of(abroad), day, "mixed")


def _noisy(draw: Draw) -> Iterator[SampleTask]:
    for index in range(_NOISY):
        day, locale = draw.day(_FIRST, _LAST), _locale(index)
        text = drop_accents(_cldr(day, "medium", locale)).upper().replace(" ", "  ")
        yield _task(text, locale, day, "noisy")


def _out_of_scope(draw: Draw) -> Iterator[SampleTask]:
    for _ in range(_EACH_OUT_OF_SCOPE):
        for write in _NOT_A_DATE:
            locale = draw.one_of(LOCALES)
            yield _task(write(draw, locale), locale, None, "out_of_scope")


def _month_and_year(draw: Draw, locale: str) -> str:
    day = draw.day(_FIRST, _LAST)
    return str(dates.format_skeleton("yMMMM", day, locale=locale.replace("-", "_")))


def _weekday(draw: Draw, locale: str) -> str:
    day = draw.day(_FIRST, _LAST)
    return str(dates.format_date(day, "EEEE", locale=locale.replace("-", "_")))


def _clock(draw: Draw, locale: str) -> str:
    return f"{draw.integer(6, 20):02}:{draw.one_of(('00', '15', '30', '45'))}"


def _impossible(draw: Draw, locale: str) -> str:
    day, month = draw.one_of(((30, 2), (31, 2), (31, 4), (31, 6), (31, 9), (31, 11)))
    return f"{day}.{month:02}.{draw.integer(2021, 2029)}"


def _reference(draw: Draw, locale: str) -> str:
    return f"{draw.integer(10, 99)}-{draw.integer(1000, 9999)}"


def _amount(draw: Draw, locale: str) -> str:
    value = draw.integer(100, 999999) / 100
    return str(numbers.format_decimal(value, "#,##0.00", locale=locale.replace("-", "_")))


def _quarter(draw: Draw, locale: str) -> str:
    return f"Q{draw.integer(1, 4)} {draw.integer(2021, 2029)}"


def _version(draw: Draw, locale: str) -> str:
    return f"v{draw.integer(1, 9)}.{draw.integer(0, 30)}.{draw.integer(0, 9)}"


_NOT_A_DATE: tuple[Callable[[Draw, str], str], ...] = (
    _month_and_year,
    _weekday,
    _clock,
    _impossible,
    _reference,
    _amount,
    _quarter,
    _version,
)
