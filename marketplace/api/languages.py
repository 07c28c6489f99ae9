"""The language a person is written to in; the API itself always speaks English."""

from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import speech
from marketplace.api.nouns import Noun


class LanguageSerializer(serializers.Serializer[Any]):
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES,
        help_text="Of mails, and of pages in a browser that chose none.",
    )


class Language(Noun):
    """The language of the user behind the key."""

    gives = LanguageSerializer
    takes = LanguageSerializer

    def get(self, request: Request) -> Response:
        return Response({"language": speech.language_of(self.user)})

    def put(self, request: Request) -> Response:
        wanted = self.given()["language"]
        speech.choose(user=self.user, language=wanted)
        return Response({"language": wanted})
