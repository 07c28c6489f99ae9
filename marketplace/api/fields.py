"""Fields that are strict where money and ids are concerned."""

import base64
import binascii
import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from reputation.identifiers import ID_PATTERN
from settlement.money import EXPONENTS, LARGEST

_DIGITS = re.compile(r"[0-9]{1,15}")


@extend_schema_field({"type": "string", "pattern": "^[0-9]{1,15}$", "example": "1250"})
class AmountField(serializers.Field[int, Any, str, Any]):
    """Minor units: 1 to 15 ASCII digits as text, or the same as a JSON integer; given as text."""

    default_error_messages = {
        "malformed": "Write minor units as 1 to 15 digits and nothing else: “1250” is 12.50.",
    }

    def to_internal_value(self, data: Any) -> int:
        whole = type(data) is int and 0 <= data <= LARGEST
        if not whole and not (isinstance(data, str) and _DIGITS.fullmatch(data)):
            self.fail("malformed")
        return int(data)

    def to_representation(self, value: int) -> str:
        return str(value)


class CurrencyField(serializers.CharField):
    """An ISO 4217 code the ledger keeps, or USDC."""

    default_error_messages = {"unknown": "Unknown currency; write its ISO 4217 code, such as EUR."}

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if code not in EXPONENTS:
            self.fail("unknown")
        return code


@extend_schema_field({"type": "string", "pattern": f"^{ID_PATTERN.pattern}$"})
class IdField(serializers.CharField):
    """A public id; whether anything has it is the view's question."""

    default_error_messages = {"malformed": "This is not an id; ids look like agt_0190f3c2…."}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not ID_PATTERN.fullmatch(text):
            self.fail("malformed")
        return text


class WholeField(serializers.IntegerField):
    """A JSON integer: no text, no fraction, no true."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "object", "additionalProperties": True})
class ObjectField(serializers.JSONField):
    """A JSON object whose inside is somebody else's to read."""

    default_error_messages = {"object": "Write a JSON object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("object")
        return data


class Base64Field(serializers.CharField):
    """Bytes in base64 (RFC 4648)."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return base64.b64decode(super().to_internal_value(data), validate=True)
        except (binascii.Error, ValueError) as error:
            raise serializers.ValidationError("Send the file's bytes in base64.") from error
