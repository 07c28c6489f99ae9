"""Forms that do something: once, or back to the visitor with a sentence that says what to do."""

from collections.abc import Callable

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from marketplace import refused
from marketplace.pages.press import PressTokenMissing, press_once
from marketplace.refusals import REFUSALS
from settlement.escrow import EscrowRefused, NotYourSide

REFUSED: tuple[type[Exception], ...] = (
    *REFUSALS,
    EscrowRefused,
    NotYourSide,
    PressTokenMissing,
)


def sentence(error: Exception) -> str:
    """A refusal as a sentence: capital first, a full stop last."""
    text = refused.said(str(error).strip()) or _("This is not possible now.")
    return text[:1].upper() + text[1:] + ("" if text[-1] in ".!?…" else ".")


def attempt(
    request: HttpRequest, form: BaseForm, effect: Callable[[], str], *, field: str | None = None
) -> HttpResponse | None:
    """Do `effect` once and go where it says; None when refused, with the reason on the form."""
    try:
        return redirect(press_once(request, effect))
    except REFUSED as error:
        form.add_error(field, sentence(error))
        return None


def attempt_button(request: HttpRequest, effect: Callable[[], str], *, back: str) -> HttpResponse:
    """The same for a form without fields: a refusal is shown on the page it came from."""
    try:
        return redirect(press_once(request, effect))
    except REFUSED as error:
        messages.error(request, sentence(error))
        return redirect(back)
