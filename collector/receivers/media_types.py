"""The media types of OTLP over HTTP."""

from __future__ import annotations

PROTOBUF, JSON = "application/x-protobuf", "application/json"
