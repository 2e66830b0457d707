"""What stacks declare (`raymap declare`), and the comparison of it with the map of a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response

from api.console.node_kinds import kind_of
from api.context import Context, json_response, run_cancellable
from api.counted import counted_graph, freshness
from api.errors import ApiError
from api.graph.build import node_id
from api.openapi_parts import json_body
from api.request import JsonBody, read_body, window_of
from api.schemas.declared import ComparisonReply, DeclaredEdge, DeclaredNode, StackLine, StackList
from api.v1.graph import span
from api.v1.params import moment
from api.v1.part import v1_part
from store.declared.compare import EdgeFinding, NodeFinding, Status, compare
from store.declared.model import (
    MAX_STACKS,
    Declaration,
    Declared,
    InvalidDeclaration,
    read_declaration,
)
from store.model import TimeRange
from store.times import SECOND

MAX_BODY = 4_000_000
"""Bytes: a stack of CloudFormation's limit of 500 resources has some 200,000."""
_BODY = json_body(
    {
        "stack": "shop",
        "resources": [
            {"id": "Checkout", "type": "AWS::Lambda::Function", "name": "checkout"},
            {"id": "Orders", "type": "AWS::DynamoDB::Table", "name": "orders"},
        ],
        "calls": [{"source": "Checkout", "target": "Orders", "evidence": ["policy"]}],
    }
)
START = Query(alias="from", description="start, inclusive, as everywhere; by default a day ago")
END = Query(alias="to", description="end, exclusive")
OF = Query(max_length=300, description="only stacks of it, and those of any")
STACK = Query(max_length=200, description="only the stack of this name")


class _Place(NamedTuple):
    """Which declarations are meant; '' is any."""

    stack: str
    account: str
    region: str
    environment: str

    def chosen(self, all: Sequence[Declared]) -> list[Declared]:
        """Those that may be meant, as what a declaration does not say is any."""
        return [each for each in all if self._has(each.declaration)]

    def _has(self, each: Declaration) -> bool:
        own = each.account, each.region, each.environment
        pairs = zip(self[1:], own, strict=True)
        return self.stack in ("", each.stack) and all("" in p or p[0] == p[1] for p in pairs)


def _place(
    stack: Annotated[str, STACK] = "",
    account: Annotated[str, OF] = "",
    region: Annotated[str, OF] = "",
    environment: Annotated[str, OF] = "",
) -> _Place:
    return _Place(stack, account, region, environment)


Place = Annotated[_Place, Depends(_place)]


def declarations_router(context: Context) -> APIRouter:
    """/api/v1/declarations."""
    router = v1_part()

    @router.get("/declarations", response_class=Response, responses={200: {"model": StackList}})
    async def list_declarations(request: Request, place: Place) -> Response:
        """Declared stacks, without their resources."""

        def work() -> Response:
            found = place.chosen(context.store.declarations())
            return json_response(StackList(stacks=[_line(each) for each in found]))

        return await run_cancellable(request, work)

    @router.get(
        "/declarations/compare",
        response_class=Response,
        responses={200: {"model": ComparisonReply}},
    )
    async def compare_declarations(
        request: Request,
        place: Place,
        start: Annotated[str, START] = "-24h",
        end: Annotated[str, END] = "now",
    ) -> Response:
        """What was seen of what is declared, and what was seen without being declared."""
        now = int(context.clock()) * SECOND
        window = window_of(moment(start, "from", now), moment(end, "to", now), "from", "to")
        return await context.share_graph(
            request, ("declared", window, place), lambda: comparison(context, window, place)
        )

    @router.post(
        "/declarations",
        response_class=Response,
        responses={200: {"model": StackLine}},
        openapi_extra=_BODY,
    )
    async def put_declaration(request: Request) -> Response:
        """Store what a stack declares, in place of what it declared before."""
        body = await read_body(request, MAX_BODY)
        return await run_cancellable(request, lambda: json_response(_put(context, body)))

    @router.delete(
        "/declarations/{stack:path}", response_class=Response, status_code=204, responses={204: {}}
    )
    async def remove_declaration(
        request: Request,
        stack: str,
        account: Annotated[str, OF] = "",
        region: Annotated[str, OF] = "",
    ) -> Response:
        """Remove a stack, in all accounts and regions unless one is named; also succeeds without any."""

        def work() -> Response:
            for each in context.store.declarations():
                key = each.declaration.key
                wanted = (stack, account or key.account, region or key.region)
                if key == wanted:
                    context.store.remove_declaration(key, _now(context))
            return Response(status_code=204)

        return await run_cancellable(request, work)

    return router


def comparison(context: Context, window: TimeRange, place: _Place) -> ComparisonReply:
    """The comparison of some stacks with the map of a window."""
    stacks = place.chosen(context.store.declarations())
    shown, graph, backlog = counted_graph(context, window, None)
    found = compare([each.declaration for each in stacks], graph)
    names = [each.declaration.stack for each in stacks]
    since = found.traffic_since
    return {
        **span(shown),
        "traffic_since": None if since is None else since / SECOND,
        **freshness(shown, backlog),
        "stacks": [_line(each) for each in stacks],
        "counts": {
            "seen": found.count(Status.SEEN),
            "never_seen": found.count(Status.NEVER_SEEN),
            "undeclared": found.count(Status.UNDECLARED),
            "unknown": found.count(Status.UNKNOWN),
        },
        "nodes": [_node(each, names) for each in found.nodes],
        "edges": [_edge(each, names) for each in found.edges],
    }


def _node(finding: NodeFinding, stacks: Sequence[str]) -> DeclaredNode:
    node = finding.nodes[0]
    ids = [node_id(each) for each in finding.nodes]
    return {
        "id": ids[0],
        "ids": ids if finding.is_on_map else [],
        "name": node.name,
        "type": node.type,
        "kind": kind_of(node.type),
        "account": node.account,
        "region": node.region,
        "stacks": [stacks[each] for each in finding.stacks],
        "logical_id": finding.id,
        "status": finding.status.value,
        "why": finding.why,
    }


def _edge(finding: EdgeFinding, stacks: Sequence[str]) -> DeclaredEdge:
    source, target = finding.ends
    ids = node_id(source), node_id(target)
    return {
        "id": f"{ids[0]}:{ids[1]}",
        "source": ids[0],
        "target": ids[1],
        "source_name": source.name,
        "target_name": target.name,
        "stacks": [stacks[each] for each in finding.stacks],
        "evidence": [each.value for each in finding.evidence],
        "status": finding.status.value,
        "why": finding.why,
    }


def _line(declared: Declared) -> StackLine:
    declaration = declared.declaration
    return {
        "stack": declaration.stack,
        "account": declaration.account,
        "region": declaration.region,
        "environment": declaration.environment,
        "template": declaration.template,
        "declared_at": declared.at / SECOND,
        "resources": sum(not each.external for each in declaration.resources),
        "calls": len(declaration.calls),
        "notes": list(declaration.notes),
    }


def _put(context: Context, body: bytes) -> StackLine:
    try:
        declaration = read_declaration(JsonBody.parse(body).members)
    except InvalidDeclaration as error:
        raise ApiError(str(error)) from None
    others = [e for e in context.store.declarations() if e.declaration.key != declaration.key]
    if len(others) >= MAX_STACKS:
        raise ApiError(f"{MAX_STACKS} stacks are declared, the most there can be: remove one")
    now = _now(context)
    context.store.put_declaration(declaration, now)
    return _line(Declared(declaration, now))


def _now(context: Context) -> int:
    return int(context.clock() * SECOND)
