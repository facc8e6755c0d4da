"""The currencies in which people trade: the codes of ISO 4217 without metals, funds and test codes. Pure.

And the one rule of their decimals: an amount is rounded once, where its currency is known, half of one up.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

CURRENCIES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
    MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
    SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS
    VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ZWL
    """.split()
)
"""Those that ended in the last years (ANG, BGN, HRK, SLL, ZWL) stay: old deals and orders are in them."""

DIGITS = dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0) | dict.fromkeys(
    "BHD IQD JOD KWD LYD OMR TND".split(), 3
)
"""Digits after the point of the currencies that do not have two (ISO 4217)."""


def digits(currency: str) -> int:
    """How many digits after the point an amount of a currency has."""
    return DIGITS.get(currency, 2)


def digits_sql(currency: str) -> str:
    """The same in SQL; `currency` is an expression of ours, never what somebody sent."""
    odd = " ".join(f"when '{code}' then {n}" for code, n in DIGITS.items())
    return f"(case {currency} {odd} else 2 end)"


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole minor units, half of one up (away from zero)."""
    return amount.quantize(Decimal(1).scaleb(-digits(currency)), ROUND_HALF_UP)


def in_minor_units(values: Mapping[str, Any], names: Iterable[str], row: object = None) -> dict[str, Any]:
    """Values with their amounts rounded, in the currency that they have, else their row; when only the currency
    changes, the row's amounts are rounded as well.
    """
    found, currency = dict(values), values.get("currency") or getattr(row, "currency", None)
    if currency is None:
        return found
    for name in names:
        amount = values[name] if name in values else getattr(row, name, None) if values.get("currency") else None
        if amount is not None:
            found[name] = rounded(amount, str(currency))
    return found
