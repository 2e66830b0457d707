"""Regular expressions of filters: RE2, as ClickHouse's ``match`` reads them.

RE2 takes time linear in the text, whatever the pattern. A dot matches line breaks too, as in ClickHouse.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

MAX_PATTERN = 500
"""Characters of a pattern."""
MAX_MEMORY = 1 << 20
"""Bytes of a compiled pattern: an eighth of ClickHouse's limit, so that it takes whatever is read here."""


def _options() -> Any:
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    return options


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    """A compiled pattern; raises ValueError that says what is wrong with it."""
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"at most {MAX_PATTERN} characters, got {len(pattern)}")
    try:
        return re2.compile(pattern, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(said or "not a regular expression of RE2") from None


def is_found(pattern: str, text: str) -> bool:
    """Whether a pattern matches anywhere in a text."""
    return compile_pattern(pattern).search(text) is not None
