"""What an AWS account may send, apart: `raymap.aws_cli` needs it at every start of a command."""

from __future__ import annotations

from enum import StrEnum


class Source(StrEnum):
    """What an account sends."""

    SPANS = "spans"
    RECORDS = "records"
    LINES = "lines"
    METRICS = "metrics"
