"""Which currencies a price may have, how many decimals people write, and how large it may be.

Exponents are ISO 4217's (how many digits come after the decimal mark), and 6 for USDC. The table
lies on this floor because a promise is priced before any money moves.
"""

LARGEST = 10**15 - 1
_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP "
    "PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG"
)
EXPONENTS = (
    dict.fromkeys(_ZERO.split(), 0)
    | dict.fromkeys(_TWO.split(), 2)
    | dict.fromkeys(_THREE.split(), 3)
    | {"USDC": 6}
)


class CurrencyUnknown(ValueError):
    """Not an ISO 4217 currency this ledger keeps, nor USDC."""


def exponent_of(currency: str) -> int:
    """How many decimals people write: 0, 2, 3, or 6. Raises CurrencyUnknown."""
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise CurrencyUnknown(f"{currency!r} is not a currency of this ledger") from None
