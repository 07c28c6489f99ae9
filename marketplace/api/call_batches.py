"""Bodies of call batches: JSON within four megabytes, plain or gzip, and nothing that swells."""

import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from rest_framework import status
from rest_framework.exceptions import APIException, ParseError

from marketplace.api.parsers import BodyTooLarge, StrictJsonParser
from pacts.guard.records import MOST_BYTES

GZIP = 16 + zlib.MAX_WBITS


class EncodingUnknown(APIException):
    """The body is packed in a way that is not read here."""

    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    default_code = "encoding-unknown"


class BatchParser(StrictJsonParser):
    """A JSON body that may be packed with gzip."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = unpacked(stream, parser_context)
        return super().parse(BytesIO(body), media_type, parser_context)


def unpacked(stream: IO[Any], parser_context: Mapping[str, Any] | None) -> bytes:
    """The body as it was before packing, at most MOST_BYTES. Raises BodyTooLarge, ParseError,
    EncodingUnknown."""
    request = (parser_context or {})["request"]
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    packed: bytes = stream.read(MOST_BYTES + 1)
    if encoding in ("", "identity"):
        body = packed
    elif encoding in ("gzip", "x-gzip"):
        body = _gunzip(packed)
    else:
        raise EncodingUnknown("Pack the body with gzip, or not at all.")
    if len(body) > MOST_BYTES or len(packed) > MOST_BYTES:
        raise BodyTooLarge(f"The batch is longer than {MOST_BYTES} bytes; send fewer calls.")
    return body


def _gunzip(packed: bytes) -> bytes:
    """At most one byte more than may be, whatever it would swell to."""
    unzip = zlib.decompressobj(GZIP)
    try:
        body = unzip.decompress(packed, MOST_BYTES + 1)
    except zlib.error as error:
        raise ParseError("The body says it is gzip and is not.") from error
    if not unzip.eof and len(body) <= MOST_BYTES:
        raise ParseError("The gzip body is cut off.")
    return body
