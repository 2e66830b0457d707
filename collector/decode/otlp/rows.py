"""Walked spans → `DocumentColumns`."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter, eq
from typing import Any, TypeVar

from collector.decode.columnar.envelopes import not_before
from collector.decode.otlp.cases import SPAN_NAME, Case, joined_url
from collector.decode.otlp.groups import SpanGroup
from collector.decode.otlp.parts import parts_of
from collector.decode.otlp.walk import NO_SPAN, Walked
from store.column_types import Coded, PackedTexts, SpanBodies, codes_of, pack_text
from store.columnar import BodyParts, CallColumns, DocumentColumns
from store.model import Call, Document, Link
from store.otel.adjusted_count import adjusted_count
from store.otel.derived_ids import derived_id
from store.otel.stored_span import mark
from store.rules.operations import operation_of_span
from store.short_cache import MAX_LENGTH

T = TypeVar("T")
_NO_TEXT = pack_text("")


def columns_of_walked(walked: Walked, version: int, sampled: bool) -> DocumentColumns:
    """The columns of spans none of which is rejected."""
    rows = _Rows(walked)
    count, coded, documents = len(walked), rows.coded, rows.documents
    span_ids = _numbers(walked.ids)
    starts = [time // 1000 for time in walked.starts]
    ends = rows.ends(starts)
    weights = rows.weights()
    annotation_counts, annotations = rows.annotations()
    ids = rows.ids(span_ids)
    raws = rows.raws(sampled)
    names = rows.names()
    return DocumentColumns(
        raws=raws,
        versions=Coded([version], bytes(count)),
        trace_ids=walked.trace_ids,
        ids=ids,
        parent_ids=rows.parent_ids(),
        starts=starts,
        ends=ends,
        last_ends=ends,
        independent=coded([d.independent for d in documents]),
        inferred=Coded([False], bytes(count)),
        sampled=coded([sampled and flag for flag in rows.chosen()]),
        states=coded([d.state for d in documents]),
        nodes=coded([d.node for d in documents]),
        services=coded([d.service for d in documents]),
        methods=coded([d.http.method for d in documents]),
        urls=rows.urls(),
        statuses=coded([d.http.status for d in documents]),
        client_ips=rows.texts(attrgetter("client"), lambda d: d.http.client_ip),
        user_agents=rows.texts(attrgetter("agent"), lambda d: d.http.user_agent),
        users=rows.texts(attrgetter("user"), lambda d: d.user),
        resource_arns=coded(rows.own("resource_arn", "arn")),
        instance_ids=coded(rows.own("instance_id", "instance_id")),
        zones=coded(rows.own("availability_zone", "availability_zone")),
        exceptions=coded([d.exception for d in documents]),
        annotation_counts=annotation_counts,
        annotations=annotations,
        member_counts=Coded([0], bytes(count)),
        members=[],
        weights=weights,
        service_versions=coded(rows.own("service_version", "version")),
        environments=coded(rows.own("environment", "environment")),
        kinds=coded([d.kind for d in documents]),
        befores=coded([d.before for d in documents]),
        fetched=coded([d.fetched for d in documents]),
        operations=rows.operations(names),
        calls=rows.calls(span_ids, starts, ends, weights, names),
        links=rows.links(),
        parts=rows.parts(raws, ids, span_ids, ends),
    )


class _Rows:
    """What spans are, as codes: their places in ``cases``, ``documents`` and ``groups``.

    A span that was decoded by itself has no case; its document is complete, and no other has its
    code.
    """

    def __init__(self, walked: Walked) -> None:
        self._walked = walked
        self._cases: list[Case | None] = []
        self.documents: list[Document] = []
        self._groups: list[SpanGroup] = []
        self._alone: list[tuple[int, Document]] = []
        self._codes = [0] * len(walked)
        self._find_codes(walked)
        self._packed = codes_of(self._codes, len(self._cases))

    def _find_codes(self, walked: Walked) -> None:
        group = None
        known: dict[Case, int] = {}
        for row, (found, owner) in enumerate(zip(walked.found, walked.groups, strict=True)):
            if owner is not group:
                group, known = owner, {}
            if isinstance(found, Case):
                code = known.get(found)
                if code is None:
                    code = known[found] = self._add(found, found.document, owner)
                self._codes[row] = code
            elif isinstance(found, Document):
                self._codes[row] = self._add(None, found, owner)
                self._alone.append((row, found))

    def _add(self, case: Case | None, document: Document, group: SpanGroup) -> int:
        self._cases.append(case)
        self.documents.append(document)
        self._groups.append(group)
        return len(self._cases) - 1

    def coded(self, values: list[T]) -> Coded[T]:
        """A column that has one value for each code."""
        return Coded(values, self._packed)

    def chosen(self) -> list[bool]:
        """By code: whether the sender sampled the span, as far as the span itself says."""
        return [
            document.sampled if case is None else case.chosen
            for case, document in zip(self._cases, self.documents, strict=True)
        ]

    def own(self, field: str, source: str) -> list[str]:
        """By code: a field that a segment has from its own resource."""
        return [
            value if case is None or not value else getattr(group.known.resource, source)
            for case, value, group in zip(
                self._cases, map(attrgetter(field), self.documents), self._groups, strict=True
            )
        ]

    def _rows_where(self, test: Callable[[Case], object]) -> list[int]:
        codes = {code for code, case in enumerate(self._cases) if case is not None and test(case)}
        return [row for row, code in enumerate(self._codes) if code in codes] if codes else []

    def ids(self, span_ids: list[int]) -> list[int]:
        """The documents' ids; the segment around a call has one of its own."""
        entries = self._rows_where(attrgetter("entry"))
        if not entries and not self._alone:
            return span_ids
        ids, walked = span_ids.copy(), self._walked
        for row in entries:
            ids[row] = int.from_bytes(derived_id(walked.trace_ids[row], walked.ids[row]), "big")
        for row, document in self._alone:
            ids[row] = document.id
        return ids

    def parent_ids(self) -> list[int]:
        """The documents' parents."""
        ids = _numbers([id or NO_SPAN for id in self._walked.parent_ids])
        for row, document in self._alone:
            ids[row] = document.parent_id
        return ids

    def names(self) -> Coded[str]:
        """The operations that spans have by their names."""
        names = [head.name for head in self._walked.heads]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        codes = codes_of(map(numbers.__getitem__, names), len(numbers))
        return Coded(list(map(operation_of_span, numbers)), codes)

    def operations(self, names: Coded[str]) -> Sequence[str]:
        """What each document did: mostly its name."""
        own = [document.operation for document in self.documents]
        if all([each is SPAN_NAME for each in own]):  # noqa: C419
            return names
        pairs = zip(self._codes, names, strict=True)
        return [name if own[code] is SPAN_NAME else own[code] for code, name in pairs]

    def ends(self, starts: list[int]) -> list[int]:
        """The ends, microseconds; the start of what is in progress."""
        ends = [time // 1000 for time in self._walked.ends]
        for row in self._rows_where(attrgetter("in_progress")):
            ends[row] = 0
        for row, document in self._alone:
            ends[row] = document.end
        return not_before(starts, ends)

    def weights(self) -> Sequence[int]:
        states, trace_ids = self._walked.states, self._walked.trace_ids
        if not any(states):
            return Coded([1], bytes(len(states)))
        return [
            adjusted_count(state, trace_id) if state else 1
            for state, trace_id in zip(states, trace_ids, strict=True)
        ]

    def texts(
        self, source: Callable[[Case], int | None], own: Callable[[Document], str]
    ) -> PackedTexts:
        """Texts that are attributes as they are."""
        return PackedTexts(self._texts(source, own))

    def _texts(
        self, source: Callable[[Case], int | None], own: Callable[[Document], str]
    ) -> list[bytes]:
        sources = [None if case is None else source(case) for case in self._cases]
        if all(place is None for place in sources):
            texts = [_NO_TEXT] * len(self._codes)
        else:
            attributes = self._walked.attributes
            texts = [
                _NO_TEXT
                if (place := sources[code]) is None
                else attributes[first + place].packed_text
                for code, first in zip(self._codes, self._walked.firsts, strict=False)
            ]
        for row, document in self._alone:
            texts[row] = pack_text(own(document))
        return texts

    def urls(self) -> PackedTexts:
        urls = self._texts(attrgetter("url"), lambda d: d.http.url)
        attributes, firsts = self._walked.attributes, self._walked.firsts
        joined = {
            code: (case, [place for _, place in case.targets])
            for code, case in enumerate(self._cases)
            if case is not None and case.origin is not None
        }
        for row, code in enumerate(self._codes) if joined else ():
            if code in joined:
                (case, places), first = joined[code], firsts[row]
                texts = [attributes[first + place].text for place in places]
                short = sum(map(len, texts)) <= MAX_LENGTH
                urls[row] = (_packed_url if short else _packed_url.__wrapped__)(case, *texts)
        return PackedTexts(urls)

    def annotations(self) -> tuple[Sequence[int], PackedTexts]:
        """How many items each document has, and all of them."""
        counts = [
            len(document.annotations) if case is None else len(case.items)
            for case, document in zip(self._cases, self.documents, strict=True)
        ]
        column = self.coded(counts)
        all_items = [attribute.packed for attribute in self._walked.attributes]
        all_are = all([case is not None and case.follows for case in self._cases])  # noqa: C419
        items = all_items if all_are else list(filter(None, all_items))
        if not self._alone and len(items) == sum(column):  # no span was rejected, either
            return column, PackedTexts(items)
        alone = dict(self._alone)
        items = []
        for row, (code, first) in enumerate(zip(self._codes, self._walked.firsts, strict=False)):
            case = self._cases[code]
            if case is None:
                items += map(pack_text, alone[row].annotations)
            else:
                items += [all_items[first + place] for place in case.items]
        return column, PackedTexts(items)

    def raws(self, sampled: bool) -> SpanBodies:
        """The stored form of each span."""
        groups = self._groups
        marked = [
            mark(owner.shared, sampled=sampled and chosen)
            for owner, chosen in zip(groups, self.chosen(), strict=True)
        ]
        spans: Sequence[Any] = self._walked.raws  # bytes: none is rejected
        return SpanBodies(self.coded(marked), self.coded([owner.scope for owner in groups]), spans)

    def parts(
        self, raws: SpanBodies, ids: list[int], span_ids: list[int], ends: list[int]
    ) -> BodyParts:
        """The stored form of each span in parts; a span that was decoded by itself is one part."""
        alone = {row: raws[row] for row, _ in self._alone}
        own_ids = list(map(eq, ids, span_ids))
        parts = parts_of(self._walked, own_ids, ends, alone)
        return BodyParts(
            self._of_cases(raws.marked.values),
            self._of_cases(raws.scopes.values),
            *parts,
        )

    def _of_cases(self, texts: Sequence[bytes]) -> Coded[bytes]:
        """Texts by code; none where a span has no case."""
        pairs = zip(self._cases, texts, strict=True)
        return self.coded([b"" if case is None else text for case, text in pairs])

    def calls(
        self,
        span_ids: list[int],
        starts: list[int],
        ends: list[int],
        weights: Sequence[int],
        names: Coded[str],
    ) -> CallColumns:
        """The calls, each of which began and ended as its document."""
        calls: list[Call] = [call for d in self.documents for call in d.calls]
        first = 0
        by_code: list[range] = []
        for document in self.documents:
            by_code.append(range(first, first + len(document.calls)))
            first += len(document.calls)
        pairs = [(row, n) for row, code in enumerate(self._codes) for n in by_code[code]]
        owners = [row for row, _ in pairs]
        packed = codes_of([n for _, n in pairs], len(calls))
        ids = [span_ids[row] for row in owners]
        if self._alone:
            alone = dict(self._alone)
            ids = [
                calls[n].id if row in alone else id for id, (row, n) in zip(ids, pairs, strict=True)
            ]
        return CallColumns(
            owners=owners,
            ids=ids,
            starts=[starts[row] for row in owners],
            ends=[ends[row] for row in owners],
            states=Coded([call.state for call in calls], packed),
            nodes=Coded([call.node for call in calls], packed),
            services=Coded([call.service for call in calls], packed),
            hosts=Coded([call.host for call in calls], packed),
            statuses=Coded([call.status for call in calls], packed),
            traced=Coded([call.traced for call in calls], packed),
            exceptions=Coded([call.exception for call in calls], packed),
            weights=[weights[row] for row in owners],
            operations=_operations_of_calls(calls, packed, owners, names),
        )

    def links(self) -> list[tuple[int, Link]]:
        return [(row, link) for row, document in self._alone for link in document.links]


def _operations_of_calls(
    calls: Sequence[Call], codes: bytes | array[int], owners: Sequence[int], names: Coded[str]
) -> Sequence[str]:
    """What each call did, by the operations of ``calls`` or by the name of its span."""
    own = [call.operation for call in calls]
    if SPAN_NAME not in own:
        return Coded(own, codes)
    if own.count(SPAN_NAME) == len(own):
        numbers = map(names.codes.__getitem__, owners)
        return Coded(names.values, codes_of(numbers, len(names.values)))
    further, pairs = len(names.values), zip(codes, owners, strict=True)
    mixed = [names.codes[row] if own[code] is SPAN_NAME else further + code for code, row in pairs]
    return Coded([*names.values, *own], codes_of(mixed, further + len(own)))


@lru_cache(8192)
def _packed_url(case: Case, *texts: str) -> bytes:
    return pack_text(joined_url(case, *texts))


def _numbers(ids: list[bytes]) -> list[int]:
    """64-bit ids as numbers."""
    numbers = array("Q", b"".join(ids))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers.tolist()
