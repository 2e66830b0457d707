"""Every keyword of a filter expression: its kind, where it may stand, and what it means.

docs/filters.md is generated from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, Flag, auto
from typing import NamedTuple


class Kind(Enum):
    """What a keyword's value is, and so which operators it takes."""

    FLAG = "flag"
    NUMBER = "number"
    TEXT = "text"


class Scope(Flag):
    """Where a keyword may stand."""

    TRACE = auto()
    SERVICE = auto()
    EDGE = auto()
    ROOT_CAUSE = auto()


class Keyword(NamedTuple):
    """``member``: of a text that any document of a trace may have, the field of `store.model.Document` and the column of
    `segments` that it is; nothing else has to know of such a keyword."""

    kind: Kind
    scope: Scope
    meaning: str
    member: str = ""


_ANYWHERE = Scope.TRACE | Scope.SERVICE | Scope.EDGE
_UNIT = Scope.SERVICE | Scope.EDGE

KEYWORDS: Mapping[str, Keyword] = {
    "ok": Keyword(Kind.FLAG, _ANYWHERE, "The entry segment (in a block: the unit) succeeded."),
    "error": Keyword(Kind.FLAG, _ANYWHERE, "It was answered with a 4xx; throttles included."),
    "throttle": Keyword(
        Kind.FLAG, _ANYWHERE, "Anything in the trace (in a block: the unit) was throttled, 429."
    ),
    "fault": Keyword(Kind.FLAG, _ANYWHERE, "It failed with a 5xx."),
    "partial": Keyword(
        Kind.FLAG,
        Scope.TRACE | Scope.SERVICE,
        "Something of the trace has still to arrive; in service(): the unit is in progress.",
    ),
    "inferred": Keyword(
        Kind.FLAG,
        _ANYWHERE | Scope.ROOT_CAUSE,
        "Some node (in a block: the unit's node, an edge's target) is inferred from calls.",
    ),
    "root": Keyword(
        Kind.FLAG, _ANYWHERE, "The unit is the entry of the trace; of an edge: its source is."
    ),
    "background": Keyword(
        Kind.FLAG,
        Scope.TRACE | Scope.SERVICE,
        "Some unit of the trace (in service(): the unit) is background work, which serves no request; not in X-Ray.",
    ),
    "first": Keyword(Kind.FLAG, Scope.ROOT_CAUSE, "The element is the first of its path."),
    "last": Keyword(Kind.FLAG, Scope.ROOT_CAUSE, "The element is the last of its path."),
    "remote": Keyword(Kind.FLAG, Scope.ROOT_CAUSE, "The entity is a call to another service."),
    "responsetime": Keyword(
        Kind.NUMBER, _ANYWHERE, "Seconds the entry segment (in a block: the unit) took."
    ),
    "duration": Keyword(
        Kind.NUMBER, Scope.TRACE | Scope.SERVICE, "Seconds from the first start to the last end."
    ),
    "http.status": Keyword(Kind.NUMBER, _ANYWHERE, "Status code of the response."),
    "index": Keyword(Kind.NUMBER, Scope.ROOT_CAUSE, "Position of the element in its path, from 0."),
    "coverage": Keyword(
        Kind.NUMBER, Scope.ROOT_CAUSE, "Share of the response time that the entity covers, 0 to 1."
    ),
    "http.url": Keyword(Kind.TEXT, _ANYWHERE, "URL of the request."),
    "http.method": Keyword(Kind.TEXT, _ANYWHERE, "Method of the request."),
    "http.useragent": Keyword(Kind.TEXT, _ANYWHERE, "User agent of the client."),
    "http.clientip": Keyword(Kind.TEXT, _ANYWHERE, "Address of the client."),
    "user": Keyword(
        Kind.TEXT,
        Scope.TRACE | Scope.SERVICE,
        "User on any segment (in a block: on the unit).",
        "user",
    ),
    "name": Keyword(
        Kind.TEXT,
        Scope.TRACE | Scope.SERVICE | Scope.ROOT_CAUSE,
        "Name of any node of the trace; in a block: of the node, entity or exception.",
    ),
    "type": Keyword(
        Kind.TEXT,
        Scope.TRACE | Scope.SERVICE | Scope.ROOT_CAUSE,
        "Type of any node of the trace, such as AWS::DynamoDB::Table.",
    ),
    "account.id": Keyword(
        Kind.TEXT,
        Scope.TRACE | Scope.SERVICE | Scope.ROOT_CAUSE,
        "Account of any node of the trace.",
    ),
    "group.name": Keyword(
        Kind.TEXT, Scope.TRACE, "Name of a group: the trace satisfies the group's expression."
    ),
    "group.arn": Keyword(Kind.TEXT, Scope.TRACE, "The same, by the group's ARN."),
    "message": Keyword(Kind.TEXT, Scope.ROOT_CAUSE, "Message of the exception."),
    "availabilityzone": Keyword(
        Kind.TEXT,
        Scope.TRACE | Scope.SERVICE,
        "Availability zone of any segment.",
        "availability_zone",
    ),
    "instance.id": Keyword(
        Kind.TEXT, Scope.TRACE | Scope.SERVICE, "EC2 instance of any segment.", "instance_id"
    ),
    "resource.arn": Keyword(
        Kind.TEXT, Scope.TRACE | Scope.SERVICE, "ARN on any segment.", "resource_arn"
    ),
    "region": Keyword(
        Kind.TEXT, Scope.TRACE | Scope.SERVICE, "Region of any node of the trace; not in X-Ray."
    ),
    "version": Keyword(
        Kind.TEXT,
        Scope.TRACE | Scope.SERVICE,
        "Deployed version of any segment; not in X-Ray.",
        "service_version",
    ),
    "environment": Keyword(
        Kind.TEXT,
        Scope.TRACE | Scope.SERVICE,
        "Environment of any segment; not in X-Ray.",
        "environment",
    ),
    "operation": Keyword(
        Kind.TEXT,
        _ANYWHERE,
        "What any segment, span or call of the trace (in a block: the unit) did, such as GET /orders/{id} or GetItem; not in X-Ray.",
    ),
}

MEMBERS: Mapping[str, str] = {
    keyword: each.member for keyword, each in KEYWORDS.items() if each.member
}
"""The fields of documents, and columns of `segments`, by the keywords that read those of any document."""

OF_NODES = frozenset(("name", "type", "account.id", "region"))
"""Keywords that outside of blocks read every node of a trace."""
ANNOTATION = "annotation"
ANNOTATION_SCOPE = Scope.TRACE | Scope.SERVICE | Scope.EDGE

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
TEXT_OPERATORS = ("contains", "beginswith", "endswith", "=~")
"""``=~``: the regular expression on the right matches somewhere (`store.filters.patterns`)."""
GROUP_KEYWORDS = frozenset(("group.name", "group.arn"))
"""Replaced by the expression of the group they name before anything is evaluated."""

OPERATORS: Mapping[Kind, tuple[str, ...]] = {
    Kind.FLAG: ("=", "!="),
    Kind.NUMBER: COMPARISONS,
    Kind.TEXT: ("=", "!=", *TEXT_OPERATORS),
}
