"""What stands for a value that a rule of redaction has removed: it names the rule, so that a trace says what
is missing from it.

``***card***``: characters that a URL, JSON and SQL take anywhere. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_RULE = r"[a-z0-9][a-z0-9_-]{0,39}"
RULE_NAME = re.compile(_RULE)
_MASK = re.compile(rf"\*\*\*(?:{_RULE}\*\*\*)?")
_IN_BYTES = re.compile(rf"\*\*\*({_RULE})\*\*\*".encode())


def mask_of(rule: str) -> str:
    """The mask that a rule leaves."""
    return f"***{rule}***"


def is_mask(text: str) -> bool:
    """Whether a text is a mask; those of earlier releases name no rule."""
    return text[:3] == "***" and _MASK.fullmatch(text) is not None


def count_masks(raws: Iterable[bytes]) -> Counter[str]:
    """How many masks of which rule are in stored documents."""
    return Counter(rule.decode() for raw in raws for rule in _IN_BYTES.findall(raw))
