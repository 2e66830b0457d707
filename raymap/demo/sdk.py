"""The SDK a service was built with: the mark it leaves, and how it names AWS services."""

from __future__ import annotations

from dataclasses import dataclass, field

_PREFIXES = {
    "DynamoDB": "dynamodb",
    "S3": "s3",
    "SNS": "sns",
    "SQS": "sqs",
    "Kinesis": "kinesis",
    "Events": "events",
    "Lambda": "lambda",
    "Sfn": "stepfunctions",
}


@dataclass(frozen=True, slots=True)
class Sdk:
    name: str
    version: str
    working_directory: str
    runtime: dict[str, str] = field(default_factory=dict)
    lower_case: bool = False
    """The Python SDK names a service by its endpoint prefix: `dynamodb`, not `DynamoDB`."""
    flags_throttles: bool = False
    """AWS's services mark a throttled call; Python's SDK leaves it error and fault, HTTP 400."""

    def service(self, canonical: str) -> str:
        return _PREFIXES.get(canonical, canonical) if self.lower_case else canonical

    def mark(self) -> dict[str, str]:
        return {"sdk": self.name, "sdk_version": self.version}


PYTHON = Sdk(
    "X-Ray for Python",
    "2.15.0",
    "/var/task",
    {"runtime": "CPython", "runtime_version": "3.13.1"},
    lower_case=True,
)
NODE = Sdk(
    "X-Ray for Node.js",
    "3.12.0",
    "/var/task",
    {"runtime": "node", "runtime_version": "v22.12.0"},
)
SERVICE = Sdk("", "", "/", flags_throttles=True)
"""AWS's own services: canonical names, no SDK block."""
