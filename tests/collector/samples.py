"""Valid documents as they arrive; a test changes only what it is about."""

from __future__ import annotations

import json
from typing import Any

from collector._pb import segments_pb2_grpc

TRACE_ID = "1-6b061440-000000000000000000000001"
START = 1_795_560_000.25


def segment_json(id: str = "00000000000000a1", **change: Any) -> dict[str, Any]:
    """A valid segment document; None takes a property away."""
    document = {
        "trace_id": TRACE_ID,
        "id": id,
        "name": "frontend",
        "start_time": START,
        "end_time": START + 0.1,
        **change,
    }
    return {key: value for key, value in document.items() if value is not None}


def segment_bytes(id: str = "00000000000000a1", **change: Any) -> bytes:
    """The same as bytes."""
    return json.dumps(segment_json(id, **change)).encode()


def datagram(document: bytes) -> bytes:
    """A document as an SDK sends it."""
    return b'{"format": "json", "version": 1}\n' + document


def segment_service(channel: Any) -> Any:
    """A client of our gRPC service; generated code has no types for it."""
    stub: Any = segments_pb2_grpc.SegmentServiceStub
    return stub(channel)
