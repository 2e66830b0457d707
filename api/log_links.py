"""Links to log lines elsewhere: CloudWatch Logs, and any log store by a template of its URLs. Pure."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote, urlsplit

from api.schemas.logs import LogLink
from store.times import SECOND
from store.trace_id import format_trace_id
from store.trace_logs import MARGIN, Place

OF_TRACE = ("trace_id", "w3c_trace_id", "from", "to")
OF_SEGMENT = ("log_group", "log_stream", "request_id", "service", "account", "region")
MOST = 500
"""Links of one trace."""


def check_template(template: str) -> None:
    """Raises ValueError unless it is an http(s) URL with known placeholders."""
    try:
        fields = _fields(template)
    except ValueError as error:
        raise ValueError(f"{template[:80]!r}: {error}") from None
    if unknown := fields - {*OF_TRACE, *OF_SEGMENT}:
        known = ", ".join(f"{{{name}}}" for name in (*OF_TRACE, *OF_SEGMENT))
        raise ValueError(f"unknown placeholder {{{min(unknown)}}}; there are {known}")
    if urlsplit(template).scheme not in ("http", "https"):
        raise ValueError(f"expected a URL like https://logs.example.com/…, got {template[:80]!r}")


def log_links(template: str, trace_id: bytes, places: Sequence[Place]) -> list[LogLink]:
    """Links of a trace: one by the template, or one for each segment if it names what only segments
    have; and to CloudWatch Logs, of each log group that a segment names."""
    links = [*_by_template(template, trace_id, places)] if template else []
    for place in places:
        links += [
            {
                "segment": place.id,
                "label": f"CloudWatch Logs {group}",
                "url": cloudwatch_url(place, group),
            }
            for group in place.log_groups
            if place.region
        ]
    return links[:MOST]


def _by_template(template: str, trace_id: bytes, places: Sequence[Place]) -> Iterator[LogLink]:
    fields = _fields(template)
    of_trace = {
        "trace_id": format_trace_id(trace_id),
        "w3c_trace_id": trace_id.hex(),
        "from": str((min(place.start for place in places) - MARGIN) * 1000 // SECOND),
        "to": str((max(place.end for place in places) + MARGIN) * 1000 // SECOND),
    }
    label = urlsplit(template).hostname or "logs"
    needed = fields & set(OF_SEGMENT)
    if not needed:
        yield {"segment": None, "label": label, "url": _filled(template, of_trace)}
        return
    for place in places:
        values = {
            "log_group": place.log_groups[0] if place.log_groups else "",
            "log_stream": place.log_stream,
            "request_id": place.request_id,
            "service": place.service,
            "account": place.account,
            "region": place.region,
        }
        is_segment = not place.parent or place.is_function or place.log_groups
        if is_segment and all(values[name] for name in needed):
            url = _filled(template, of_trace | values)
            yield {"segment": place.id, "label": label, "url": url}


def _filled(template: str, values: Mapping[str, str]) -> str:
    return template.format(**{name: quote(value, safe="") for name, value in values.items()})


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def cloudwatch_url(place: Place, group: str) -> str:
    """The page of a log group, or of the stream, in the console of CloudWatch: its fragment is escaped
    twice, with ``$`` for ``%``."""
    host = f"https://{quote(place.region)}.console.aws.amazon.com/cloudwatch/home"
    path = f"log-groups/log-group/{_twice(group)}"
    if place.log_stream:
        path += f"/log-events/{_twice(place.log_stream)}"
    return f"{host}?region={quote(place.region)}#logsV2:{path}"


def _twice(text: str) -> str:
    return quote(quote(text, safe=""), safe="").replace("%", "$")
