"""How pages show money, rates, time and words. One tag for each, used everywhere."""

import json
from datetime import date, datetime
from typing import Any

from django import template
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from heroicons.templatetags.heroicons import heroicon_micro

from marketplace import access, labels
from marketplace.models import News
from marketplace.notices import saying, telling
from marketplace.pages import charts, clause_reasons, press, wording
from marketplace.pages.rates import Rate
from marketplace.pages.visitors import acting_of, now_of
from marketplace.visible import made_visible
from reputation import indicators

register = template.Library()

register.simple_tag(heroicon_micro)
register.filter("percent", wording.percent)
register.filter("span", wording.span)
register.filter("work", wording.work_title)
register.filter("money", wording.amount)
register.filter("age", wording.age)
register.filter("points", wording.points)
register.filter("clause_reason", clause_reasons.said)

LONGEST = 2_000


@register.simple_tag
def rate(measured: Any) -> SafeString | str:
    """A share with the range it lies in, or a dash where nothing was counted."""
    if measured.point is None:
        return "–"
    return format_html(
        '{} <span class="soft">({} – {})</span>',
        *(
            wording.percent(share * 10_000, digits=1)
            for share in (measured.point, measured.low, measured.high)
        ),
    )


@register.simple_tag
def cash(minor: int | None, currency: str) -> SafeString:
    """An amount inside a sentence, as `<c-money>` shows it beside one."""
    return format_html('<span class="num">{}</span>', wording.amount(minor, currency))


@register.filter
def said(label: Any) -> str:
    """A state's or a kind's name in the visitor's language (`marketplace.labels`)."""
    return labels.said(str(label))


@register.filter
def inside(label: Any) -> str:
    """The same inside a sentence: small in English, as its language writes it elsewhere."""
    return labels.inside(str(label))


@register.filter
def headline(news: News) -> str:
    """What a piece of news says, in the visitor's language."""
    return saying.title(news)


@register.filter
def ppb(parts: int) -> str:
    """Parts per billion as a percentage, with as many decimals as tell it from nothing."""
    return wording.local(f"{parts / 10_000_000:.4g}") + " %"


@register.filter
def micros(millionths: float) -> str:
    """Millionths of a unit of money as units, without trailing zeros."""
    return wording.local(f"{millionths / 1_000_000:.6f}".rstrip("0").rstrip("."))


@register.filter
def percent1(bps: int | None) -> str:
    """A share with one decimal, for columns."""
    return wording.percent(bps, digits=1)


@register.filter
def verdict_word(outcome: str) -> str:
    """`met` → `Met`; any other state as a capitalised word."""
    return labels.said(outcome.replace("_", " ").capitalize())


@register.filter
def milliseconds(microseconds: int) -> str:
    """`12.5 ms`."""
    return wording.local(f"{microseconds / 1000:,.1f}") + " ms"


@register.filter
def words(code: str) -> str:
    """A code as words: `human_review` → `Human review`."""
    return labels.said(str(code).replace("_", " ").replace("-", " ").capitalize())


@register.filter
def clip(text: Any, most: int = LONGEST) -> str:
    """A stranger's text, cut where a page would drown in it."""
    shown = str(text)
    if len(shown) <= most:
        return shown
    long = _("%(characters)s characters in all") % {"characters": wording.count(len(shown))}
    return f"{shown[:most]}… ({long})"


@register.filter
def as_json(value: Any, most: int = LONGEST) -> str:
    """A stranger's JSON in one readable line, clipped; escaped by the template as any text."""
    return clip(json.dumps(value, ensure_ascii=False, default=str), most)


@register.filter
def visible(text: Any) -> str:
    """A stranger's text with invisible and turning characters written out as their codes."""
    return made_visible(str(text))


@register.filter
def among(value: Any, several: Any) -> bool:
    """Whether a value is one of several."""
    return value in several


@register.filter
def percent_plain(bps: int) -> str:
    """Basis points as a number to type again: `62.5`."""
    return wording.percent_plain(bps)


@register.filter
def short_id(value: str | None) -> str:
    """The end of a public id, enough to tell rows apart: ids of one hour share their start."""
    text = str(value or "")
    prefix, _, rest = text.partition("_")
    return f"{prefix}_…{rest[-8:]}" if rest else text


@register.filter
def short_digest(value: str | None) -> str:
    """The first 12 hex digits of a digest."""
    return str(value or "").removeprefix("sha256:")[:12]


@register.filter
def plot(rate: Rate) -> charts.IntervalPlot | None:
    """Where the marks of a rate's interval go."""
    return charts.interval_plot(rate)


@register.filter
def plural(count: int, noun: str) -> str:
    """`{{ 2|plural:"task" }}` → `2 tasks`."""
    return wording.plural(count, noun)


@register.simple_tag(takes_context=True)
def ago(context: template.Context, at: datetime | None) -> SafeString | str:
    """An instant as time passed, with the exact moment on it."""
    return _time(at, wording.age(now_of(context["request"]) - at) if at else "")


@register.simple_tag(takes_context=True)
def days_ago(context: template.Context, on: date) -> str:
    """A day as the whole days since: `today`, `3 days ago`; what has no hour is given none."""
    return wording.days_ago((now_of(context["request"]).date() - on).days)


@register.simple_tag(takes_context=True)
def left(context: template.Context, until: datetime | None) -> SafeString | str:
    """A deadline as the time left, with the exact moment on it."""
    return _time(until, wording.left(until, now_of(context["request"])) if until else "")


@register.simple_tag(takes_context=True)
def due(context: template.Context, until: datetime | None) -> SafeString | str:
    """A deadline where nothing else says its moment: the time left, and until when."""
    if until is None:
        return "–"
    return format_html(
        '<span>{} <span class="small soft num">({})</span></span>',
        left(context, until),
        wording.day_and_time(until),
    )


@register.simple_tag
def moment(at: datetime | None) -> SafeString | str:
    """An instant written out."""
    return _time(at, wording.day_and_time(at) if at else "")


def _time(at: datetime | None, shown: str) -> SafeString | str:
    if at is None:
        return "–"
    return format_html(
        '<time class="num" datetime="{}" title="{}">{}</time>',
        at.isoformat(timespec="seconds"),
        wording.day_and_time(at),
        shown,
    )


@register.inclusion_tag("parties/record.html")
def buyer_record(party_id: str) -> dict[str, object]:
    """A buyer's disputes and silence in a line."""
    return {"record": indicators.buyer_of(buyer_id=party_id)}


@register.simple_tag(takes_context=True)
def permits(context: template.Context, route: str, method: str = "POST") -> bool:
    """Whether the visitor may use a route: for showing a button or the reason there is none."""
    return access.permits(route, method, acting_of(context["request"]))


@register.simple_tag(takes_context=True)
def acting(context: template.Context) -> Any:
    """Whom the page is shown to, or None; also on pages of other apps."""
    return acting_of(context["request"]) if "request" in context else None


@register.simple_tag
def unread(user: Any) -> str:
    """How many notices wait for somebody: a number up to 99, `99+` beyond, empty for none."""
    return wording.bell_count(telling.unread_of(user))


@register.simple_tag(takes_context=True)
def press_token(context: template.Context) -> SafeString:
    """The hidden token that makes a form's effect happen once. A refused form keeps its own."""
    token = press.token_to_draw(context["request"])
    return format_html('<input type="hidden" name="{}" value="{}">', press.FIELD, token)


@register.simple_tag
def control(field: BoundField) -> SafeString:
    """A form field's control, tied to its hint and its errors for screen readers."""
    described = [f"{field.auto_id}_hint"] if field.help_text else []
    attrs: dict[str, Any] = {}
    if field.errors:
        described.append(f"{field.auto_id}_errors")
        attrs["aria-invalid"] = "true"
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return mark_safe(field.as_widget(attrs=attrs))  # noqa: S308 - Django's own rendering


@register.simple_tag(takes_context=True)
def in_section(context: template.Context, *prefixes: str) -> SafeString | str:
    """`aria-current` for a navigation link whose section the page is in."""
    path = context["request"].path if "request" in context else ""
    here = any(path == one or (one != "/" and path.startswith(one)) for one in prefixes)
    return mark_safe('aria-current="page"') if here else ""
