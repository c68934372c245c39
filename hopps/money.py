"""Money is an integer of minor units plus a currency; this is how people read it."""

import re

# ISO 4217 exponents that are not 2.
_EXPONENTS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "BHD": 3, "KWD": 3, "JOD": 3, "OMR": 3, "TND": 3}
# Commas only between groups of three: "12,50" is somebody's twelve and a half, and must not become 1250.
_AMOUNT = re.compile(r"[$€£¥]?(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?:\.(?P<part>[0-9]*))?")
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


def exponent(currency: str) -> int:
    """Return how many decimal digits `currency` has (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)


def format_money(minor: int, currency: str) -> str:
    """Return `minor` units of `currency` as people write it: `format_money(1250, "USD") == "$12.50"`."""
    digits = exponent(currency)
    whole, part = divmod(abs(minor), 10**digits)
    number = f"{whole:,}" + (f".{part:0{digits}d}" if digits else "")
    sign = "−" if minor < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {currency}"


def parse_money(text: str, currency: str) -> int:
    """Return the minor units of an amount typed by a person.

    Raises:
        ValueError: it is not a plain decimal number, or has more decimals than the currency.
    """
    digits = exponent(currency)
    match = _AMOUNT.fullmatch(text.strip())
    whole, part = (match["whole"].replace(",", ""), match["part"] or "") if match else ("", "")
    if not whole + part or len(part) > digits:
        raise ValueError(f"Write the amount as a number such as {format_money(1250, currency)}.")
    scale: int = 10**digits
    return int(whole or "0") * scale + int(part.ljust(digits, "0") or "0")
