"""What the calls of models, agents and tools did, and the tokens they took, by edge: pure, from whole traces.

The attributes are those of OpenTelemetry's GenAI and MCP conventions, old names included; of the cost, for which there
is no convention, the name that OpenLIT writes. A call that several spans report (`store.layers`) has the numbers of the
one that counts, else those of the others together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from store.layers import OneCall
from store.model import NodeKey, OwnedCall, Trace, confirmed
from store.otel.attributes import Attributes, number, text
from store.parents import ParentIndex
from store.query import UnitQuery
from store.rules.annotations import parse_annotation_item
from store.unit_filter import matching_units
from store.units import EdgeUnit

GENAI = "GenAI::"
"""Begins the types of models, agents and tools (`store.otel.genai`)."""
_KEYS = {
    "name": ("gen_ai.operation.name", "mcp.method.name"),
    "model": ("gen_ai.request.model", "gen_ai.response.model"),
    "tool": ("gen_ai.tool.name",),
}
"""Of the members of `Operation`; the first that a span has."""
_INPUT = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")
_OUTPUT = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
_COST = "gen_ai.usage.cost"
_PREFIXES = ("gen_ai.", "mcp.")


class Operation(NamedTuple):
    """What a call along an edge did; '' for what its span does not name."""

    source: NodeKey
    target: NodeKey
    name: str
    model: str
    tool: str


class Usage(Struct):
    """Of some calls, how many there are, and how many say of tokens; tokens; cost in US dollars, None if no call says.
    All by weight."""

    calls: int = 0
    reported: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    borrowed: frozenset[str] = frozenset()
    """What of the operation some call does not say itself, but another span of it."""


class _Figures(NamedTuple):
    """What one span says, None where it does not."""

    input_tokens: int | None
    output_tokens: int | None
    cost: float | None


def usage_of(
    traces: Iterable[Trace], query: UnitQuery, *, weighted: bool = True
) -> dict[Operation, Usage]:
    """The usage by the calls that match a query of edges; without ``weighted`` each counts once."""
    found: dict[Operation, Usage] = {}
    for trace in traces:
        once = ParentIndex(trace).once
        for unit in matching_units(trace, query, _no_trace):
            if isinstance(unit, EdgeUnit) and isinstance(unit.origin, OwnedCall):
                spans = _spans(unit.origin, trace, once)
                operation = _operation(unit, spans)
                usage = found.setdefault(operation, Usage())
                usage.borrowed |= _borrowed(operation, spans[0])
                _add(usage, spans, unit.weight if weighted else 1)
    return found


def _no_trace(trace_id: bytes) -> None:
    """No other trace is looked up: calls are no links."""


def _spans(call: OwnedCall, trace: Trace, once: OneCall) -> list[Attributes]:
    """The attributes of the span that counts, then of those that are one call with it."""
    others = (id for id, counted in once.counted_as.items() if counted == call.call.id)
    return [_attributes(each, trace) for each in (call, *(trace.calls[id] for id in others))]


def _attributes(call: OwnedCall, trace: Trace) -> Attributes:
    document = trace.documents.get(call.document_id)
    items = document.annotations if document else ()
    return dict(parse_annotation_item(item) for item in items if item.startswith(_PREFIXES))


def _operation(unit: EdgeUnit, spans: Sequence[Attributes]) -> Operation:
    said = {
        member: next(filter(None, (text(each, *keys) for each in spans)), "")
        for member, keys in _KEYS.items()
    }
    return Operation(confirmed(unit.source), unit.target, **said)


def _borrowed(operation: Operation, own: Attributes) -> frozenset[str]:
    return frozenset(
        member for member, keys in _KEYS.items() if text(own, *keys) != getattr(operation, member)
    )


def condition_of(operation: Operation, usage: Usage) -> str:
    """What is true of these calls and of no others along the edge, as a block of edge() has it in a filter; of what is
    borrowed nothing is said, so that it may be true of more."""
    return " AND ".join(
        _says(keys, getattr(operation, member))
        for member, keys in _KEYS.items()
        if member not in usage.borrowed
    )


def _says(keys: Sequence[str], value: str) -> str:
    """That a value is that of the first key that is set; that none is set if it is empty."""
    first, *rest = keys
    if not value:
        return " AND ".join(f"!annotation[{key}]" for key in keys)
    equal = f"annotation[{first}] = {json.dumps(value, ensure_ascii=False)}"
    return f"({equal} OR !annotation[{first}] AND {_says(rest, value)})" if rest else equal


def _figures(attributes: Attributes) -> _Figures:
    cost = attributes.get(_COST)
    return _Figures(
        number(attributes, *_INPUT),
        number(attributes, *_OUTPUT),
        float(cost) if isinstance(cost, int | float) else None,
    )


def _add(usage: Usage, spans: Sequence[Attributes], weight: int) -> None:
    own, *others = map(_figures, spans)
    figures = others if own == _NOTHING else [own]
    usage.calls += weight
    usage.reported += weight * any(each[:2] != _NOTHING[:2] for each in figures)
    for each in figures:
        usage.input_tokens += weight * (each.input_tokens or 0)
        usage.output_tokens += weight * (each.output_tokens or 0)
        if each.cost is not None:
            usage.cost = (usage.cost or 0.0) + weight * each.cost


_NOTHING = _Figures(None, None, None)
