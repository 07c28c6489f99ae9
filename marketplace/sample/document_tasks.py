"""Tasks for getting a JSON document out of a language model's answer.

Every task starts from a drawn order (customer note, lines, totals). The right answer is that
order, value for value.

Benchmark: twelve kinds of broken syntax, fourteen orders each, nothing ever missing: the list
that repair libraries advertise: 168 tasks.

Buyer: a shop books orders that a model writes. In scope is what models mostly send: `clean`
JSON, JSON `wrapped` in a code fence or in prose, and `damaged` by a trailing comma, a comment,
single quotes or Python literals. Out of scope is what must not be booked: `truncated` (the
model ran out of tokens: the text stops at a drawn place between 30 % and 95 %), `no_document`
(a refusal or an error page) and `two_documents` (a draft and its correction: which one holds?).
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from marketplace.sample.draw import Draw
from marketplace.sample.json_writer import JsonWriter
from marketplace.sample.phrases import PHRASES
from marketplace.sample.task import SampleTask

Order = dict[str, Any]

_ITEMS = ("desk lamp", "office chair", "door handle", "wall clock", "coat rack", "bookshelf")
_NOTES = tuple(note for code in ("de", "en", "es", "nl") for note in PHRASES[code])
_CURRENCIES = ("EUR", "SEK", "PLN", "GBP")
_BENCHMARK_ORDERS = 14
_CLEAN, _WRAPPED, _DAMAGED = 40, 40, 20
_TRUNCATED, _NO_DOCUMENT, _TWO_DOCUMENTS = 40, 10, 10
_TRUNCATED_FROM, _TRUNCATED_TO = 30, 95

_REFUSALS = (
    "I'm sorry, but I can't help with this order.",
    "The message does not contain an order. Could you share more details?",
    "<html><body><h1>502 Bad Gateway</h1></body></html>",
    "Error: the model is overloaded, try again later.",
    "No order found.",
)


def draw_order(draw: Draw) -> Order:
    """One order: text, integers, decimals with two places, a boolean and a null."""
    lines = [_draw_line(item, draw) for item in draw.several(_ITEMS, draw.integer(1, 4))]
    return {
        "order": f"A-{draw.integer(10000, 99999)}",
        "currency": draw.one_of(_CURRENCIES),
        "express": draw.integer(0, 1) == 1,
        "voucher": None,
        "note": draw.one_of(_NOTES),
        "lines": lines,
        "total": round(sum(line["quantity"] * line["price"] for line in lines), 2),
    }


def _draw_line(item: str, draw: Draw) -> dict[str, Any]:
    return {
        "item": item,
        "quantity": draw.integer(1, 12),
        "price": draw.integer(500, 99999) / 100,
    }


def _missing_comma(order: Order) -> str:
    return json.dumps(order).replace(', "lines"', ' "lines"').replace(', "currency"', ' "currency"')


def _raw_newline(order: Order) -> str:
    return json.dumps(order, indent=2).replace('"note": "', '"note": "\n', 1)


def _fence(order: Order) -> str:
    return f"```json\n{json.dumps(order, indent=2)}\n```"


def _prose(order: Order) -> str:
    return (
        f"Here is the order as JSON:\n\n{json.dumps(order)}\n\nLet me know if anything is missing."
    )


# The writer of a raw newline adds it to the note, so the right answer holds it too.
BENCHMARK_DAMAGE: dict[str, Callable[[Order], str]] = {
    "trailing_comma": JsonWriter(trailing_comma=True).write,
    "single_quotes": JsonWriter(quote="'").write,
    "bare_keys": JsonWriter(bare_keys=True).write,
    "python_literals": repr,
    "line_comment": JsonWriter(comment="// {}").write,
    "block_comment": JsonWriter(comment="/* {} */").write,
    "hash_comment": JsonWriter(comment="# {}").write,
    "missing_comma": _missing_comma,
    "raw_newline": _raw_newline,
    "typographic_quotes": JsonWriter(quote="“", end_quote="”").write,
    "fence": _fence,
    "prose": _prose,
}


def make_benchmark() -> list[SampleTask]:
    """168 tasks; the stratum is the kind of damage."""
    draw = Draw("documents/benchmark/1")
    tasks = []
    for name, write in BENCHMARK_DAMAGE.items():
        for _ in range(_BENCHMARK_ORDERS):
            order = draw_order(draw)
            expected = order | {"note": "\n" + order["note"]} if name == "raw_newline" else order
            tasks.append(_task(write(order), expected, name))
    return tasks


def make_buyer() -> list[SampleTask]:
    """160 tasks: 40 clean, 40 wrapped, 20 damaged; 40 truncated, 10 empty, 10 doubled."""
    draw = Draw("documents/buyer/1")
    return [*_in_scope(draw), *_out_of_scope(draw)]


def _task(text: str, order: Order | None, stratum: str) -> SampleTask:
    return SampleTask(
        input={"text": text},
        expected={"document": order},
        stratum=stratum,
        in_scope=order is not None,
    )


def _in_scope(draw: Draw) -> Iterator[SampleTask]:
    for index in range(_CLEAN):
        order = draw_order(draw)
        yield _task(json.dumps(order, indent=2 if index % 2 else None), order, "clean")
    for index in range(_WRAPPED):
        order = draw_order(draw)
        yield _task((_fence, _prose)[index % 2](order), order, "wrapped")
    damage = ("trailing_comma", "line_comment", "single_quotes", "python_literals")
    for index in range(_DAMAGED):
        order = draw_order(draw)
        text = BENCHMARK_DAMAGE[damage[index % len(damage)]](order)
        yield _task(text, order, "damaged")


def _out_of_scope(draw: Draw) -> Iterator[SampleTask]:
    for index in range(_TRUNCATED):
        text = json.dumps(draw_order(draw), indent=2 if index % 2 else None)
        kept = len(text) * draw.integer(_TRUNCATED_FROM, _TRUNCATED_TO) // 100
        yield _task(text[:kept], None, "truncated")
    for index in range(_NO_DOCUMENT):
        yield _task(_REFUSALS[index % len(_REFUSALS)], None, "no_document")
    for _ in range(_TWO_DOCUMENTS):
        order = draw_order(draw)
        corrected = order | {"total": order["lines"][0]["price"]}
        draft, final = json.dumps(order), json.dumps(corrected)
        yield _task(f"{draft}\n\nCorrected version:\n\n{final}", None, "two_documents")
