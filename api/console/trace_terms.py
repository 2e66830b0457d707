"""The terms of the filter language that a trace satisfies, those that may tell it from others.

How a trace ended and how long it took are none: they are what is to be explained.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache

from api.console.contrast import Term
from store.filters.ast import Field
from store.model import NodeKey, Trace
from store.summary import Summary, summarize

_PLAIN_KEY = re.compile(r"[^\s=!<>()\[\]{}\",]+")


def trace_terms(trace: Trace) -> Iterator[Term]:
    """Each term once or more; the status is among them, as not every selection is by it."""
    summary = summarize(trace)
    for key, values in summary.annotations.items():
        field = field_text(Field("annotation", key))
        yield from (Term(field, f"{field} = {value}") for value in values)
    nodes = [node for node in summary.nodes if not node.is_client]
    yield from (Term("service", _service(node)) for node in nodes)
    for document in trace.documents.values():
        if document.service_version and not document.independent:
            version = f"version = {_text(document.service_version)}"
            yield Term("version", f"{_service(document.node)} {{ {version} }}")
    if summary.http.status:
        yield Term("http.status", f"http.status = {summary.http.status}")
    for keyword, texts in _texts(summary).items():
        yield from (Term(keyword, f"{keyword} = {_text(text)}") for text in texts if text)


def field_text(field: Field) -> str:
    """A field as a filter names it."""
    if field.keyword == "annotation" and _PLAIN_KEY.fullmatch(field.key):
        return f"annotation.{field.key}"
    return str(field)


def _texts(summary: Summary) -> dict[str, list[str]]:
    """Texts of a trace by keyword."""
    http = summary.http
    nodes = summary.nodes
    return {
        "user": list(summary.users),
        "http.method": [http.method],
        "http.url": [http.url],
        "http.useragent": [http.user_agent],
        "http.clientip": [http.client_ip],
        "availabilityzone": summary.availability_zones,
        "instance.id": summary.instance_ids,
        "resource.arn": summary.resource_arns,
        "account.id": list({node.account for node in nodes}),
        "region": list({node.region for node in nodes}),
    }


def _service(node: NodeKey) -> str:
    return f"service(id(name: {_text(node.name)}, type: {_text(node.type)}))"


@lru_cache(10_000)
def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
