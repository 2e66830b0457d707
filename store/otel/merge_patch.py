"""The difference between an exported X-Ray document and its span: a JSON merge patch (RFC 7396).

The attribute ``aws.xray.document`` of an exported span leads from the document that the span's
other attributes make to the original; its presence marks the span as an X-Ray document.
"""

from __future__ import annotations

from typing import Any

import msgspec

Json = dict[str, Any]

DOCUMENT = "aws.xray.document"

STRUCTURE = frozenset(
    {
        "end_time",
        "id",
        "in_progress",
        "inferred",
        "parent_id",
        "start_time",
        "subsegments",
        "trace_id",
        "type",
    }
)
"""What places a unit in its trace: taken from the span's own fields, never from a patch."""

_DEEPEST = 60


def patch_between(made: Json, wanted: Json) -> str:
    """The patch from one document to another, as text."""
    return msgspec.json.encode(_difference(_loose(made), _loose(wanted), 0)).decode()


def patched(made: Json, text: object) -> Json:
    """The document that a patch leads to; unchanged if there is no readable patch."""
    if not isinstance(text, str):
        return made
    try:
        patch = msgspec.json.decode(text)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return made
    if not isinstance(patch, dict):
        return made
    fixed = {key: value for key, value in made.items() if key in STRUCTURE}
    return {**_merged(_loose(made), _loose(patch), 0), **fixed}


def _loose(document: Json) -> Json:
    return {key: value for key, value in document.items() if key not in STRUCTURE}


def _difference(made: Json, wanted: Json, depth: int) -> Json:
    patch: Json = {key: None for key in made if wanted.get(key) is None}
    for key, value in wanted.items():
        if value is None:
            continue
        before = made.get(key)
        if isinstance(value, dict) and isinstance(before, dict) and depth < _DEEPEST:
            inner = _difference(before, value, depth + 1)
            if inner:
                patch[key] = inner
        elif type(before) is not type(value) or before != value:
            patch[key] = value
    return patch


def _merged(made: Json, patch: Json, depth: int) -> Json:
    merged = dict(made)
    for key, value in patch.items():
        before = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(before, dict) and depth < _DEEPEST:
            merged[key] = _merged(before, value, depth + 1)
        else:
            merged[key] = value
    return merged
