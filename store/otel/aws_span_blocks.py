"""The blocks of an X-Ray document in a record of the log group ``aws/spans`` (`store.otel.aws_spans`). Pure."""

from __future__ import annotations

from typing import Any

from store.otel.attributes import Attributes, number, text, texts
from store.otel.derived_ids import derived_id
from store.otel.http_block import client_address, http_of
from store.otel.span_facts import NAMED_ANNOTATIONS
from store.otel.stack_traces import frames_of

Json = dict[str, Any]
GROUP = "aws/spans"
FLAGS = ("error", "throttle", "fault")
DATABASE = ("db.system", "db.system.name")
QUERY = ("db.statement", "db.query.text")
_ANNOTATIONS = ("aws.xray.annotation_keys", NAMED_ANNOTATIONS)
_METADATA = "aws.xray.metadata."


def members(value: Any) -> Json:
    """An object's members; none of anything else."""
    return value if isinstance(value, dict) else {}


def http_block(attributes: Attributes, status: int, is_segment: bool) -> Json:
    """What was requested and answered."""
    http = http_of(attributes, status, server=is_segment)
    request = {
        "method": http.method,
        "url": http.url,
        "user_agent": http.user_agent,
        "client_ip": http.client_ip,
    }
    given: Json = {key: value for key, value in request.items() if value}
    if http.client_ip and client_address(attributes)[1]:
        given["x_forwarded_for"] = True
    block: Json = {"request": given} if given else {}
    if status:
        block["response"] = {"status": status}
        length = number(attributes, "http.response.body.size", "http.response_content_length")
        if length is not None:
            block["response"]["content_length"] = length
    return block


def sql_block(attributes: Attributes) -> Json:
    """The query of a database."""
    block = {
        "url": text(attributes, "db.url"),
        "connection_string": text(attributes, "db.connection_string"),
        "sanitized_query": text(attributes, *QUERY),
        "database_type": text(attributes, *DATABASE),
        "user": text(attributes, "db.user"),
    }
    return {key: value for key, value in block.items() if value}


def notes_of(record: Json, attributes: Attributes) -> Json:
    """Annotations, metadata and links. What has no place in a document is metadata."""
    named = list(dict.fromkeys(key for each in _ANNOTATIONS for key in texts(attributes, each)))
    annotations = {key: attributes[key] for key in named if key in attributes}
    metadata = {
        key.removeprefix(_METADATA): value
        for key, value in attributes.items()
        if key.startswith(_METADATA)
    }
    rest = {
        key: value
        for key, value in attributes.items()
        if key not in annotations and not key.startswith("aws.xray.")
    }
    about = {"name": record.get("name"), "kind": record.get("kind"), "attributes": rest}
    found: Json = {"metadata": metadata | {GROUP: {k: v for k, v in about.items() if v}}}
    if annotations:
        found["annotations"] = annotations
    if links := [_link(link) for link in _objects(record.get("links"))]:
        found["links"] = links
    return found


def _link(link: Json) -> Json:
    return {
        "trace_id": link.get("traceId"),
        "id": link.get("spanId"),
        "attributes": members(link.get("attributes")),
    }


def cause_of(
    record: Json, xray: Json, attributes: Attributes, of_resource: Attributes
) -> Json | None:
    """The recorded exceptions, else the message of the document's cause."""
    thrown = [
        _exception(members(event.get("attributes")), of_resource)
        for event in _objects(record.get("events"))
        if event.get("name") == "exception"
    ]
    message = text(xray, "cause.message") or text(members(xray.get("cause")), "message")
    if not thrown and message and any(attributes.get(f"aws.xray.{name}") for name in FLAGS):
        thrown = [{"message": message}]
    span = f"{record.get('traceId')}{record.get('spanId')}".encode(errors="replace")
    for place, exception in enumerate(thrown):
        seed = span + place.to_bytes(4, "big")
        exception.setdefault("id", derived_id(seed, b"", b"exception").hex())
    return {"exceptions": thrown} if thrown else None


def _exception(attributes: Attributes, of_resource: Attributes) -> Json:
    language = text(attributes, "aws.xray.exception.stacktrace_language")
    language = language or text(of_resource, "telemetry.sdk.language")
    found: Json = {
        "id": text(attributes, "aws.xray.exception.id"),
        "type": text(attributes, "exception.type"),
        "message": text(attributes, "exception.message"),
        "remote": attributes.get("aws.xray.exception.remote") is True,
        "stack": frames_of(text(attributes, "exception.stacktrace"), language),
    }
    return {key: value for key, value in found.items() if value}


def _objects(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
