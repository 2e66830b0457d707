"""What a unit of work did: its operation. Pure.

A span's is its name (`GET /orders/{id}`), and of a call of AWS's API the operation (`GetItem`) whatever the span is
called. X-Ray's documents have no name for it: a call's is `aws.operation`, and of anything else it is the method and
the path of its HTTP request as far as that is bounded. What names neither, such as a query in SQL, has none. A sidecar's is that of the application's span in it
(`store.parents.ParentIndex.operation`).
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_OPERATION = 200
"""Characters of an operation."""
MOST_OPERATIONS = 1_000
"""Operations of a service, in a day, that are listed by name; the others are `OTHER_OPERATIONS`."""
OTHER_OPERATIONS = "(other operations)"
MOST_PARTS = 5
"""Parts of a path that are distinguished."""
VARIABLE = "{id}"
"""In place of a part of a path that may be different in every request."""
_CACHED = 200
"""Characters of a request that is worth caching: longer ones do not repeat."""
_PATH = re.compile(r"(?:[^/?#;]*://[^/?#;]*)?(/[^?#;]*)?").match
OF_PROXY = r":[0-9]+/\*"
"""Ends the operations of proxies."""
_OF_PROXY = re.compile(rf"{OF_PROXY}\Z").search
_VARIABLE = re.compile(r"/(?!(?:[A-Za-z_.~-]{1,32}|v[0-9]{1,2})(?:/|$))[^/]*").sub


def operation_of_span(name: str) -> str:
    """The operation of a span that has this name."""
    return name if len(name) <= MAX_OPERATION else name[:MAX_OPERATION]


def is_of_proxy(operation: str) -> bool:
    """Whether an operation is where a proxy passes requests to (Envoy's ``reviews:9080/*``), whatever is done there."""
    return operation.endswith("/*") and _OF_PROXY(operation) is not None


def aws_operation(operation: object) -> str:
    """The operation of a call of AWS's API as X-Ray's documents have it, without the service that newer conventions
    put in front of it (``S3/ListBuckets``)."""
    if not isinstance(operation, str):
        return ""
    return operation.rpartition("/")[2][:MAX_OPERATION]


def operation_of_request(method: str, url: str) -> str:
    """The method and the path of an HTTP request, without what may be different in every one; '' without either."""
    work = _of_request if len(method) + len(url) <= _CACHED else _of_request.__wrapped__
    return work(method, url)


@lru_cache(8192)
def _of_request(method: str, url: str) -> str:
    path = _path(url) if url else ""
    return operation_of_span(f"{method} {path}" if method and path else method or path)


def _path(url: str) -> str:
    """The path of an absolute URL or of one that begins with it, bounded; '' without one."""
    found = _PATH(url)
    path = found[1] if found else None
    if path is None:
        return "/" if found and found[0] else ""
    bounded = _VARIABLE("/" + VARIABLE, path.rstrip("/"))
    if bounded.count("/") > MOST_PARTS:
        bounded = "/".join([*bounded.split("/", MOST_PARTS + 1)[:-1], "*"])
    return bounded or "/"
