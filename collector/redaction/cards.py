"""Numbers of payment cards: an issuer's prefix with a length that it uses, and the check digit.

Prefixes and lengths as issuers publish them (ISO/IEC 7812). The check digit alone fits a tenth of all
numbers, and so of all order ids and timestamps.
"""

from __future__ import annotations

import re

_SIXTEEN_UP = frozenset({16, 17, 18, 19})
_ISSUERS: tuple[tuple[str, frozenset[int]], ...] = (
    (r"4", frozenset({13, 16, 19})),  # Visa
    (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", frozenset({16})),  # Mastercard
    (r"3[47]", frozenset({15})),  # American Express
    (r"30[0-5]|3095|3[689]", frozenset({14, 16, 19})),  # Diners Club
    (r"6011|64[4-9]|65|62212[6-9]|6221[3-9]|622[2-8]|62290|62291|62292[0-5]", frozenset({16, 19})),
    (r"352[89]|35[3-8]", frozenset({16, 19})),  # JCB
    (r"62|81", _SIXTEEN_UP),  # UnionPay
    (r"5018|5020|5038|5893|6304|6759|676[1-3]", frozenset({13, 14, 15, 16, 17, 18, 19})),  # Maestro
    (r"220[0-4]", _SIXTEEN_UP),  # Mir
    (r"60[38]|508|353|356|82", frozenset({16})),  # RuPay
    (r"9792", frozenset({16})),  # Troy
    (r"506[01]|507[89]|6500", frozenset({16, 18, 19})),  # Verve
)
_BY_LENGTH = {
    length: re.compile("|".join(prefix for prefix, lengths in _ISSUERS if length in lengths))
    for length in range(13, 20)
}
NUMBER = re.compile(
    r"(?<![0-9A-Za-z.])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|3\d{3}([ -])\d{6}\2\d{4,5})"
    r"(?![0-9A-Za-z]|\.\d)"
)
"""Digits alone or in groups, where they may be the number of a card."""
PREFILTER = (
    r"(?:^|[^0-9a-z.]|[\n\x12*].)(?:[2-6]\d{3}|8[12]\d\d|9792)"
    r"(?:\d{9}|[ -]\d{4}[ -]\d{4}[ -]\d{4}|[ -]\d{6}[ -]\d{4})"
)
"""The same in bytes. In protobuf the length of a text stands before it, which may look like a digit or letter."""
_GLUED = re.compile(r"([A-Za-z][\w.]*)[-_]\Z")
_IN_HOST = re.compile(r"//[^/?#\s]*\Z")
_BEFORE = 100


def is_card(text: str) -> bool:
    """Whether digits, in groups or not, are the number of a card."""
    digits = text if text.isdigit() else text.replace(" ", "").replace("-", "")
    issuers = _BY_LENGTH.get(len(digits))
    return bool(issuers and issuers.match(digits) and _has_check_digit(digits))


def word_before(text: str, at: int) -> str:
    """The word that digits are glued to with a hyphen or underscore, as in ``order-4111…``; else empty."""
    found = _GLUED.search(text[max(0, at - _BEFORE) : at])
    return found[1] if found else ""


def is_in_host(text: str, at: int) -> bool:
    """Whether digits are part of a URL's host."""
    return _IN_HOST.search(text[max(0, at - _BEFORE) : at]) is not None


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def _has_check_digit(digits: str) -> bool:
    """Luhn's (ISO/IEC 7812)."""
    numbers = list(map(int, digits))
    return (sum(numbers[-1::-2]) + sum(map(_DOUBLED.__getitem__, numbers[-2::-2]))) % 10 == 0
