"""Ids and times of a chunk of documents by column, and one by one where they are unusual."""

from __future__ import annotations

import sys
from array import array
from binascii import unhexlify
from collections.abc import Sequence
from operator import eq, le, not_, or_
from typing import Any

from collector.decode.ids import LATEST, MAX_NAME, Identity, read_id
from collector.decode.wire import Root

_ZERO = bytes(16)


class Identities:
    """Ids and times of a chunk's documents, in the store's units."""

    __slots__ = ("ends", "ids", "independent", "parent_ids", "starts", "trace_ids")

    def __init__(
        self,
        trace_ids: list[bytes],
        ids: list[int],
        parent_ids: list[int],
        independent: list[bool],
        starts: list[int],
        ends: list[int],
    ) -> None:
        self.trace_ids = trace_ids
        self.ids = ids
        self.parent_ids = parent_ids
        self.independent = independent
        self.starts = starts
        self.ends = ends

    @classmethod
    def of_each(cls, found: Sequence[Identity]) -> Identities:
        """Columns of identities that were read one by one."""
        return cls(
            [one.trace_id for one in found],
            [one.id for one in found],
            [one.parent_id for one in found],
            [one.independent for one in found],
            [one.start for one in found],
            [one.end for one in found],
        )

    def of(self, place: int) -> Identity:
        """The identity of one document."""
        return Identity(
            self.trace_ids[place],
            self.ids[place],
            self.parent_ids[place],
            self.independent[place],
            self.starts[place],
            self.ends[place],
        )


def identify_all(roots: list[Root]) -> Identities | None:
    """Ids and times, if all are written as SDKs write them; else None."""
    try:
        ids = read_ids([root.id for root in roots])
        trace_ids = _read_trace_ids([root.trace_id for root in roots])
        names: list[Any] = [root.name for root in roots]
        if not all(ids) or not all(names) or max(map(len, names)) > MAX_NAME:
            return None
    except (TypeError, ValueError):  # a required property is missing
        return None
    starts: list[Any] = [root.start_time for root in roots]
    ends: list[Any] = [root.start_time if root.in_progress else root.end_time for root in roots]
    if not all_within(starts) or not all_within(ends):
        return None
    begun = [round(time * 1e6) for time in starts]
    ended = not_before(begun, [round(time * 1e6) for time in ends])
    independent = [root.type == "subsegment" for root in roots]
    parents = [root.parent_id for root in roots]
    if not any(parents):
        parent_ids = [0] * len(roots)
    else:
        parent_ids = list(map(read_id, parents))
        if any(map(eq, ids, parent_ids)):
            return None
    if any(independent) and not all(map(or_, parent_ids, map(not_, independent))):
        return None
    return Identities(trace_ids, ids, parent_ids, independent, begun, ended)


def not_before(starts: list[int], ends: list[int]) -> list[int]:
    """Each end, or its start where that is later."""
    return ends if all(map(le, starts, ends)) else list(map(max, starts, ends))


def all_within(times: Sequence[Any]) -> bool:
    """Whether all are present and between the epoch and `LATEST`."""
    return None not in times and (not times or (min(times) >= 0 and max(times) < LATEST))


def read_ids(texts: Sequence[Any]) -> list[int]:
    """`read_id` of each."""
    try:
        if set(map(len, texts)) == {16}:
            ids = array("Q", unhexlify("".join(texts)))
            if sys.byteorder == "little":
                ids.byteswap()
            return ids.tolist()
    except (TypeError, ValueError):  # one is none
        pass
    return list(map(read_id, texts))


def _read_trace_ids(texts: Sequence[Any]) -> list[bytes]:
    """`parse_trace_id` of each. Raises ValueError or TypeError unless all are in X-Ray's form."""
    text = bytearray("".join(texts), "ascii")
    ones, dashes = b"1" * len(texts), b"-" * len(texts)
    if set(map(len, texts)) != {35} or text[0::35] != ones:
        raise ValueError("not all of one form")
    if text[1::35] != dashes or text[10::35] != dashes:
        raise ValueError("not all of one form")
    del text[10::35]
    del text[1::34]
    del text[0::33]
    whole = unhexlify(text)
    trace_ids = [whole[at : at + 16] for at in range(0, len(whole), 16)]
    if _ZERO in trace_ids:
        raise ValueError("the all-zero trace id names no trace")
    return trace_ids
