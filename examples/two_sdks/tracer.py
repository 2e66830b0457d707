"""What an SDK's instrumentation wraps: each end of every call. The shop knows this and no SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from examples.two_sdks.cloud import Database, Response
from examples.two_sdks.wire import Answer, Headers, Message, Request

T = TypeVar("T")
Parameters = Mapping[str, Any]
Send = Callable[[Headers], T]
"""Does the call with the headers that carry the trace."""


class Tracer(Protocol):
    """The instrumentation of one service, each thread with its own current span."""

    def http_server(self, request: Request, handle: Callable[[], Answer]) -> Answer:
        """A web framework's: an exception is recorded and becomes a 500."""

    def http_client(self, request: Request, send: Send[Answer]) -> Answer:
        """An HTTP library's."""

    def rpc_server(self, method: str, headers: Headers, handle: Callable[[], None]) -> None:
        """A gRPC server's interceptor; RpcFailed says how it ended."""

    def rpc_client(self, host: str, method: str, send: Send[None]) -> None:
        """A gRPC channel's interceptor."""

    def sql(self, database: Database, statement: str, run: Callable[[], T]) -> T:
        """A database driver's."""

    def aws(
        self, client: Any, operation: str, parameters: Parameters, send: Send[Response]
    ) -> Response:
        """botocore's."""

    def poll(self, client: Any, parameters: Parameters, send: Send[Response]) -> Response:
        """botocore's ReceiveMessage where no request is being served."""

    def message(self, queue: str, message: Message, handle: Callable[[], None]) -> None:
        """The processing of one message, in the trace that sent it; an exception ends here."""

    def work(self, name: str, run: Callable[[], T]) -> T:
        """Named work inside the service."""


class Sdk(Protocol):
    """An SDK, set up for one destination."""

    def tracer(self, service: str) -> Tracer:
        """The instrumentation of a service."""

    def close(self) -> None:
        """Send what has not been sent."""
