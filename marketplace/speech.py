"""The language a page speaks: the visitor's choice, else the user's, else the browser's.

Programs are spoken to in English: the API, the log and the back office keep one set of words.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

from pacts.models import User

GetResponse = Callable[[HttpRequest], HttpResponseBase]

ENGLISH = "en"
# Where words are an interface or the same for everybody.
ONE_LANGUAGE = ("/api/", "/log/", "/office/", "/healthz", "/readyz", settings.STATIC_URL)
ABOUT_THE_LOG = "/log/"  # the page; below it lie the files


def is_spoken(language: str | None) -> bool:
    """Whether the site has this language."""
    return language in dict(settings.LANGUAGES)


def language_of(user: User) -> str:
    """What a person reads when no browser says it, in mails; English without a choice."""
    return user.language if is_spoken(user.language) else ENGLISH


def choose(*, user: User, language: str) -> None:
    """Remember a person's language for mails and for other browsers."""
    User.objects.filter(pk=user.pk).update(language=language)


def _is_for_everybody(path: str) -> bool:
    """Files, programs' addresses and badges, which public caches keep for all languages."""
    files = path.startswith(ONE_LANGUAGE) and path != ABOUT_THE_LOG
    return files or path.endswith("/badge.svg")


def _wanted(request: HttpRequest) -> str:
    cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
    if cookie is not None and is_spoken(cookie):
        return cookie
    user = getattr(request, "user", None)
    if isinstance(user, User) and is_spoken(user.language):
        return user.language
    return translation.get_language_from_request(request)


class LanguageMiddleware:
    """Answers in the visitor's language, and tells caches what the answer depends on."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if _is_for_everybody(request.path):
            with translation.override(ENGLISH):
                return self.get_response(request)
        with translation.override(_wanted(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or ENGLISH)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response
