"""Conditions of blocks on one row of `segments` or `calls`: what it is as a unit of a node or an edge.

The same units as `store.filters.units` makes of a trace. Whether a call is answered and whether a
segment is a root depend on other rows: `store.clickhouse.search.compile` joins these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from store.clickhouse.queries import Sql
from store.clickhouse.queries.rules import (
    FETCHED_NOTHING,
    IS_SEGMENT,
    IS_STREAMED,
    LEAVING,
    PASSED_ON,
    SERVES_NO_REQUEST,
)
from store.clickhouse.search.bounds import (
    ALWAYS,
    FALSE,
    NEVER,
    TRUE,
    UNKNOWN,
    Bounds,
    Values,
    conjunction,
    disjunction,
    every,
    exactly,
    negated,
    negation,
    some,
)
from store.clickhouse.search.field_tests import (
    MICROSECONDS,
    annotation_test,
    number_test,
    text_test,
)
from store.clickhouse.search.row_sets import UNLINKED
from store.filters.ast import (
    And,
    Bare,
    Compare,
    Expression,
    FieldTest,
    NodeMatch,
    Not,
    Or,
    Selector,
)
from store.filters.keywords import GROUP_KEYWORDS, KEYWORDS, MEMBERS, OF_NODES, Kind, Scope
from store.filters.states import STATES
from store.layers import MILD
from store.model import SYNTHETICS_AGENT, Independent, NodeKey, State
from store.model import Kind as SpanKind

CLIENT_TYPES = ("client", "client::Synthetics")
CLIENT_TYPE = f"if(position(user_agent, '{SYNTHETICS_AGENT}') > 0, 'client::Synthetics', 'client')"
"""`store.model.client_type` in SQL, for roots that have a client."""
CALLER_TYPE = "remote"
"""Of the callers that roots name (`store.otel.callee.caller_of`)."""
IN_FRONT = Sql(f"(startsWith(source_type, 'client') OR source_type = '{CALLER_TYPE}')")
"""Of rows of `rollups` that count calls: maybe from what is in front of a root."""
HTTP = {
    "http.url": "url",
    "http.method": "method",
    "http.useragent": "user_agent",
    "http.clientip": "client_ip",
}
TEXTS = {**HTTP, **MEMBERS, "operation": "operation"}
"""The columns of `segments` by the keywords that read them."""
_unread = {
    keyword
    for keyword, each in KEYWORDS.items()
    if each.kind is Kind.TEXT and each.scope & (Scope.TRACE | Scope.SERVICE)
} - (TEXTS.keys() | OF_NODES | GROUP_KEYWORDS)
if _unread:
    raise ValueError(f"no column has the keywords {sorted(_unread)}")


@dataclass(frozen=True)
class NodeColumns:
    """The columns, or SQL constants, of a node's key, and of the names it also goes by."""

    key: dict[str, str]
    names: tuple[str, ...] = ()


def node_columns(prefix: str = "", *names: str) -> NodeColumns:
    """The node that a row's own columns, or those with a prefix, are the key of."""
    return NodeColumns({name: prefix + name for name in NodeKey._fields}, names)


CLIENT = NodeColumns(
    {**dict.fromkeys(NodeKey._fields, "''"), "name": "name", "type": CLIENT_TYPE}, ("service",)
)
"""The client in front of the node that a root segment is a unit of."""
CALLER = node_columns("before_")
"""What a root segment names in place of the client."""
OWNER = node_columns("owner_")
"""The caller that a row of `calls` names."""


@dataclass(frozen=True)
class UnitRow:
    """What a row is as a unit.

    ``texts``: columns by keyword; a keyword that is missing has no value. ``annotations``: whether
    they are the row's own; None: a column of another row decides.
    """

    node: NodeColumns
    texts: dict[str, str] = field(default_factory=dict)
    root: Bounds = NEVER
    background: Bounds = NEVER
    inferred: Bounds = NEVER
    annotations: bool | None = False
    is_call: bool = False


_ALONE = conjunction([IS_SEGMENT, SERVES_NO_REQUEST])
BACKGROUND = Bounds(_ALONE, conjunction([_ALONE, FETCHED_NOTHING, UNLINKED]))
"""Whether a row of `segments` is background work of its node: if no link says what caused it."""
SEGMENT = UnitRow(
    node_columns("", "service"),
    TEXTS,
    root=Bounds(TRUE, Sql("parent_id = 0")),
    background=BACKGROUND,
    inferred=exactly(Sql("inferred = 1")),
    annotations=True,
)
REQUEST = Bounds(
    Sql(f"independent IN ({Independent.NO:d}, {Independent.OF_SENDER:d})"),
    conjunction([IS_SEGMENT, FETCHED_NOTHING]),
)
"""Whether a row of `segments` is a unit: a segment, or a span that may enter its service. Of what fetched messages
other rows decide (`store.messages`)."""
STANDS_FOR_REQUEST = Sql(
    f"(independent = {Independent.OF_SENDER:d} AND kind IN {LEAVING.text} AND state > {State.OK:d})"
)
"""Of rows of `segments`: a failed call; if it enters its service, how that ended is unknown (`store.cases.stands_for_request`)."""
UNEXPLAINED = Sql(
    f"(state = {State.FAULT:d} AND status = 0 AND independent != {Independent.OF_PARENT:d})"
)
"""Of rows of `calls`: a failure that the requests of the call may explain (`store.layers.state_of`)."""
UNPLACED = Sql(
    f"({IS_STREAMED.text} AND startsWith(type, 'AWS::') AND (account = '' OR region = ''))"
)
"""Of rows of `calls`: the caller, which another row knows, may decide on the account or region (`store.draw`)."""
CLIENT_UNIT = replace(SEGMENT, node=CLIENT, root=NEVER, background=NEVER)
CALLER_UNIT = replace(CLIENT_UNIT, node=CALLER)
_OF_CALL = {"operation": "operation"}
UNANSWERED_CALL = UnitRow(node_columns("", "service"), _OF_CALL, inferred=ALWAYS, is_call=True)
"""A unit of the node that the call leads to."""
CLIENT_EDGE = replace(SEGMENT, root=ALWAYS)
INNER_EDGE = replace(SEGMENT, root=UNKNOWN)
"""An edge that only the callee measured."""
ANSWERED_EDGE = UnitRow(
    node_columns("", "host"), _OF_CALL, root=UNKNOWN, annotations=None, is_call=True
)
UNANSWERED_EDGE = replace(ANSWERED_EDGE, inferred=ALWAYS)


def unit_condition(condition: Expression | None, row: UnitRow, values: Values) -> Bounds:
    """The condition of a block on a row."""
    if condition is None:
        return ALWAYS
    return block_condition(condition, lambda test: _field_condition(test, row, values))


def block_condition(condition: Expression, of_test: Callable[[FieldTest], Bounds]) -> Bounds:
    """The condition of a block, given the bounds of each of its tests."""
    match condition:
        case And(terms):
            return every(block_condition(term, of_test) for term in terms)
        case Or(terms):
            return some(block_condition(term, of_test) for term in terms)
        case Not(term):
            return negated(block_condition(term, of_test))
    assert isinstance(condition, FieldTest), "the parser admits no blocks inside of blocks"
    return of_test(condition)


def _field_condition(test: FieldTest, row: UnitRow, values: Values) -> Bounds:
    keyword = test.field.keyword
    if keyword == "annotation":
        if row.annotations is None:
            return UNKNOWN
        return annotation_test(test, values) if row.annotations else NEVER
    if KEYWORDS[keyword].kind is Kind.FLAG:
        return flag(test, _flag_condition(keyword, row))
    condition = _value_condition(test, row, values)
    if keyword == "operation" and not row.is_call:
        may = disjunction([condition, PASSED_ON])
        return Bounds(may, conjunction([condition, negation(PASSED_ON)]))
    if row.is_call and keyword in ("account.id", "region"):
        return placed(condition, TRUE)
    return exactly(condition)


def placed(here: Sql, elsewhere: Sql) -> Bounds:
    """The condition that a call leads to some place. ``elsewhere``: that it may, if its caller decides."""
    may = disjunction([here, conjunction([UNPLACED, elsewhere])])
    return Bounds(may, conjunction([here, negation(UNPLACED)]))


def called(match: NodeMatch, row: UnitRow, values: Values) -> Bounds:
    """The condition that the node of a unit is meant, which for a call its caller may decide."""
    here = selected(match, row.node, values)
    exact = isinstance(match, NodeKey)
    is_aws = match.type.startswith("AWS::") or not (match.type or exact)
    if not (row.is_call and is_aws and (exact or match.account)):
        return exactly(here)
    anywhere = Selector(match.name, match.type)
    return placed(here, selected(anywhere, row.node, values))


def in_front(of_client: Bounds, of_caller: Bounds) -> Bounds:
    """What is in front of a root segment fits: the caller that it names, else a client."""
    named = exactly(Sql(f"(before_name != '' AND kind = {SpanKind.SERVER:d})"))
    return some([every([negated(named), of_client]), every([named, of_caller])])


def flag(test: FieldTest, bounds: Bounds) -> Bounds:
    """A comparison of a flag, given when it is true."""
    match test:
        case Bare():
            return bounds
        case Compare(_, operator, value):
            return bounds if (operator == "=") == (value is True) else negated(bounds)
    raise AssertionError(f"the parser admits no {type(test).__name__} of a flag")


def _flag_condition(keyword: str, row: UnitRow) -> Bounds:
    if keyword in STATES:
        return ended_in(STATES[keyword]) if row.is_call else reported(STATES[keyword])
    return {"root": row.root, "background": row.background, "inferred": row.inferred}[keyword]


def ended_in(states: tuple[State, ...]) -> Bounds:
    """The condition that a call ended in one of some states: if it is a fault of a span without a status, what it was
    made of may say otherwise (`store.layers.state_of`)."""
    here = in_states(states)
    others = {State.FAULT, *MILD} - set(states)
    if not others or len(others) > len(MILD):
        return exactly(here)
    may = disjunction([here, UNEXPLAINED]) if State.FAULT in others else here
    return Bounds(may, conjunction([here, negation(UNEXPLAINED)]))


def reported(states: tuple[State, ...]) -> Bounds:
    """The condition that what a row of `segments` is a unit of ended in one of some states."""
    here = in_states(states)
    if State.OK in states:
        return Bounds(disjunction([here, STANDS_FOR_REQUEST]), here)
    return Bounds(here, conjunction([here, negation(STANDS_FOR_REQUEST)]))


def in_states(states: tuple[State, ...]) -> Sql:
    """The condition that a row ended in one of some states."""
    return Sql(f"state IN ({', '.join(str(int(state)) for state in states)})") if states else FALSE


def _value_condition(test: FieldTest, row: UnitRow, values: Values) -> Sql:
    keyword = test.field.keyword
    match keyword:
        case "responsetime" | "duration":
            return finished(number_test(test, "duration", MICROSECONDS, values))
        case "http.status":
            return conjunction([Sql("status != 0"), number_test(test, "status", 1, values)])
        case "name":
            return text_test(test, (row.node.key["name"], *row.node.names), values, blank=True)
        case "type":
            return text_test(test, (row.node.key["type"],), values, blank=True)
        case "account.id" | "region":
            place = row.node.key[keyword.removesuffix(".id")]
            return text_test(test, (place,), values, blank=False)
    column = row.texts.get(keyword)
    return text_test(test, (column,), values, blank=False) if column else FALSE


def finished(condition: Sql) -> Sql:
    """A condition on how long a unit took, which is unknown while it is in progress."""
    return conjunction([Sql(f"state != {State.IN_PROGRESS:d}"), condition])


def selected(match: NodeMatch, node: NodeColumns, values: Values) -> Sql:
    """The condition that a row's node is meant (`store.filters.evaluate.selects`)."""
    if (node is CLIENT and not may_be_client(match)) or (
        node is CALLER and not may_be_caller(match)
    ):
        return FALSE
    if isinstance(match, NodeKey):
        return conjunction(
            values.text(f"{node.key[name]} = <value>", value=(value, "String"))
            for name, value in match._asdict().items()
        )
    parts = [of_kind(match, node, values)]
    if match.name:
        names = (node.key["name"], *node.names)
        parts.append(
            disjunction(values.text(f"{n} = <value>", value=(match.name, "String")) for n in names)
        )
    return conjunction(parts)


def owned_by(match: NodeMatch, values: Values) -> Bounds:
    """The condition that the row of a call names a caller that is meant, or may: of a namespace it has not the
    caller's name alone (`store.rules.namespaces`)."""
    own = selected(match, OWNER, values)
    if isinstance(match, NodeKey) or not match.name:
        return exactly(own)
    suffix = (f"/{match.name}", "String")
    named = values.text("endsWith(owner_name, <suffix>)", suffix=suffix)
    return Bounds(disjunction([own, conjunction([of_kind(match, OWNER, values), named])]), own)


def may_be_client(match: NodeMatch) -> bool:
    """Whether clients, which have no rows of their own, may be meant."""
    return match.type in ("", *CLIENT_TYPES) and not match.account


def may_be_in_front(match: NodeMatch) -> bool:
    """Whether what is in front of a root may be meant, which has no units of its own."""
    return may_be_client(match) or may_be_caller(match)


def may_be_caller(match: NodeMatch) -> bool:
    """Whether callers that roots name may be meant."""
    return match.type == CALLER_TYPE or not (match.type or isinstance(match, NodeKey))


def of_kind(match: Selector, node: NodeColumns, values: Values) -> Sql:
    """The condition that a node has the selector's type and account, whatever its name."""
    wanted = {"type": match.type, "account": match.account}
    return conjunction(
        values.text(f"{node.key[name]} = <value>", value=(value, "String"))
        for name, value in wanted.items()
        if value
    )
