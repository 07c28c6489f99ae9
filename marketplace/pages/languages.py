"""The switch of the language, on every page's foot; a form, so it works without JavaScript."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt

from marketplace import speech
from marketplace.pages.visitors import acting_of


# Without a token, so that pages stay free of cookies until somebody signs in. A stranger's form
# arrives without the session (SameSite), and could at most change the language of this browser.
@csrf_exempt
def language(request: HttpRequest) -> HttpResponse:
    """Speak this language from now on and go back to the page one came from."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    response = redirect(back)
    wanted = request.POST.get("language", "")
    if not speech.is_spoken(wanted):
        return response
    if acting := acting_of(request):
        speech.choose(user=acting.user, language=wanted)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        wanted,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
    return response
