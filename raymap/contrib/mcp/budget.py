"""How long an answer may be, counted without a tokenizer.

Language models count tokens, each in its own way. `count` is an upper estimate for the byte-pair
vocabularies in use: three letters, two digits or one other character a token, and a token for each
byte of a character that is not ASCII. Real texts of this server have half to three quarters of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_TOKENS = 4_000
"""Tokens of an answer, by `count`."""

_PIECES = re.compile(r"[A-Za-z]{1,3}|[0-9]{1,2}| +|\n+|[\x00-\x7f]")
_FOREIGN = re.compile(r"[^\x00-\x7f]+")


def count(text: str) -> int:
    """Tokens of a text, rather too many than too few."""
    foreign = sum(len(piece.encode()) for piece in _FOREIGN.findall(text))
    return foreign + len(_PIECES.findall(text))


def fit(lines: Iterable[str], budget: int) -> list[str]:
    """The first lines that together have at most ``budget`` tokens."""
    fitting = []
    for line in lines:
        budget -= count(line) + 1
        if budget < 0:
            break
        fitting.append(line)
    return fitting


def head(text: str, budget: int) -> str:
    """The longest beginning of a text with at most ``budget`` tokens."""
    low, high = 0, min(len(text), 3 * budget)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[:middle]) <= budget else (low, middle - 1)
    return text[:low]
