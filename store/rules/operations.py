"""What a unit of work did: its operation. Pure.

A span's is its name (`GET /orders/{id}`), and of a call of AWS's API the operation (`GetItem`) whatever the span is
called. X-Ray's documents have no name for it: a call's is `aws.operation`, and of anything else it is the method and
the path of its HTTP request as far as that is bounded. What names neither, such as a query in SQL, has none.
"""

from __future__ import annotations

import re

MAX_OPERATION = 200
"""Characters of an operation."""
MOST_OPERATIONS = 1_000
"""Operations of a service, in a day, that are listed by name; the others are `OTHER_OPERATIONS`."""
OTHER_OPERATIONS = "(other operations)"
MOST_PARTS = 5
"""Parts of a path that are told apart."""
VARIABLE = "{id}"
"""In place of a part of a path that may be different in every request."""
_CONSTANT = re.compile(r"[A-Za-z_.~-]{1,32}|v[0-9]{1,2}").fullmatch


def operation_of_span(name: str) -> str:
    """The operation of a span that has this name."""
    return name if len(name) <= MAX_OPERATION else name[:MAX_OPERATION]


def aws_operation(operation: object) -> str:
    """The operation of a call of AWS's API as X-Ray's documents have it, without the service that newer conventions
    put in front of it (``S3/ListBuckets``)."""
    if not isinstance(operation, str):
        return ""
    return operation.rpartition("/")[2][:MAX_OPERATION]


def operation_of_request(method: str, url: str) -> str:
    """The method and the path of an HTTP request, without what may be different in every one; '' without either."""
    path = _path(url)
    return operation_of_span(f"{method} {path}" if method and path else method or path)


def _path(url: str) -> str:
    """The path of an absolute URL or of one that begins with it, bounded; '' without one."""
    rest = url
    if not url.startswith("/"):
        _, scheme, rest = url.partition("://")
        if not scheme:
            return ""
        _, slash, rest = rest.partition("/")
        rest = slash + rest
    parts = re.split(r"[?#;]", rest, maxsplit=1)[0].split("/")[1:]
    while parts and not parts[-1]:
        parts.pop()
    known = [part if _CONSTANT(part) else VARIABLE for part in parts[:MOST_PARTS]]
    if len(parts) > MOST_PARTS:
        known.append("*")
    return "/" + "/".join(known)
