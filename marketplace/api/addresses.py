"""How the API's addresses are written: `path` that knows `<id:…>`, for every file of addresses."""

from django.urls import path, register_converter

from reputation.identifiers import ID_PATTERN

__all__ = ["path"]


class IdConverter:
    """A public id in an address. What does not look like one is at no address at all."""

    regex = ID_PATTERN.pattern

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(IdConverter, "id")
