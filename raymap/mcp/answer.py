"""Answers: lines of this server, then what came from traces, marked as data and within the budget.

Names, URLs, messages and documents were written by the senders of traces. They are put between two
markers with a number that they cannot know, and control characters in them are escaped, so that no
text can end the block or pass for a line of this server.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from raymap.mcp.budget import MAX_TOKENS, fit, head

OWN_TOKENS = 600
"""Reserved for this server's own lines and the markers."""
DATA_TOKENS = MAX_TOKENS - OWN_TOKENS
FIELD_TOKENS = 100
"""Of one name, URL or message in a line."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def escape(text: str) -> str:
    """Control characters, and those that hide or turn text, as JSON writes them."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def clean(value: object) -> str:
    """A value from a trace for a line of a table; what is cut off is counted."""
    text = escape(str(value))
    if len(text.encode()) <= FIELD_TOKENS:  # a byte is a token at most
        return text
    part = head(text, FIELD_TOKENS)
    return part if len(part) == len(text) else f"{part}… ({len(text) - len(part)} more characters)"


def table(own: Sequence[str], lines: Sequence[str], more: str) -> str:
    """As many lines of data as fit.

    ``more`` says how many are missing, ``{left}``, and how to get them; ``{shown}`` are the lines in
    the answer.
    """
    shown = fit(lines, DATA_TOKENS)
    left = len(lines) - len(shown)
    notes = [*own, more.format(left=left, shown=len(shown))] if left else list(own)
    return marked(notes, "\n".join(shown))


def marked(own: Sequence[str], data: str) -> str:
    """This server's lines, then data between markers."""
    mark = secrets.token_hex(4)
    block = f"<untrusted-trace-data {mark}>\n{data}\n</untrusted-trace-data {mark}>"
    return "\n".join([head("\n".join(own), OWN_TOKENS - 100), block])
