"""What the shop's services say to each other. They share a process and pass real headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grpc import StatusCode

Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as its server sees it."""

    method: str
    host: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Headers = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{self.host}{self.path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; named as requests names it, for the SDK reads it."""

    status_code: int


class RpcFailed(Exception):
    """A gRPC call that did not end with OK, on both of its sides."""

    def __init__(self, code: StatusCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    """A message taken from a queue."""

    receipt: str
    body: str
    headers: Headers
