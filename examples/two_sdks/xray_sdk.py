"""The shop with the X-Ray SDK: its recorder, models, emitter and its patches' own processors.

Every service has a recorder of its own, as every process would. The SDK has no patch for gRPC;
here its flags follow the code as in the interceptor of the SDK for Go. Nor has it one for a
worker: a segment is begun from the message's header, as its manual shows.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import Any

from aws_xray_sdk.core.context import Context
from aws_xray_sdk.core.daemon_config import DAEMON_ADDRESS_KEY
from aws_xray_sdk.core.emitters.udp_emitter import UDPEmitter
from aws_xray_sdk.core.models import http
from aws_xray_sdk.core.recorder import AWSXRayRecorder
from aws_xray_sdk.core.utils.stacktrace import get_stacktrace
from aws_xray_sdk.ext.boto_utils import aws_meta_processor
from aws_xray_sdk.ext.requests.patch import requests_processor
from aws_xray_sdk.ext.util import construct_xray_header, get_hostname, inject_trace_header
from grpc import StatusCode

from examples.two_sdks.cloud import Database, Response
from examples.two_sdks.tracer import Parameters, Send, T
from examples.two_sdks.wire import Answer, Headers, Message, Request, RpcFailed

_FAULTS = (StatusCode.INTERNAL, StatusCode.UNIMPLEMENTED, StatusCode.DATA_LOSS)
_PACE_SECONDS = 0.002
"""Between segments: UDP has no back-pressure, and a shop of real visitors is slower."""


class XRaySdk:
    """`Sdk` for a daemon's address, ``host:port``."""

    def __init__(self, daemon: str) -> None:
        # The SDK prefers its environment variable to its argument; here the argument counts.
        previous = os.environ.pop(DAEMON_ADDRESS_KEY, None)
        try:
            self._emitter = UDPEmitter(daemon)
        finally:
            if previous is not None:
                os.environ[DAEMON_ADDRESS_KEY] = previous
        logging.getLogger("aws_xray_sdk").setLevel(logging.ERROR)

    def tracer(self, service: str) -> XRayTracer:
        recorder = AWSXRayRecorder()
        recorder.configure(sampling=False, context=Context(), emitter=self._emitter)
        return XRayTracer(recorder, service)

    def close(self) -> None:
        """Every segment went when it ended."""


class XRayTracer:
    """`Tracer` of one service."""

    def __init__(self, recorder: Any, service: str) -> None:
        self._recorder = recorder
        self._service = service

    def http_server(self, request: Request, handle: Callable[[], Answer]) -> Answer:
        """As XRayMiddleware for Flask."""
        segment = self._begin(request.headers)
        segment.put_http_meta(http.URL, request.url)
        segment.put_http_meta(http.METHOD, request.method)
        segment.put_http_meta(http.USER_AGENT, "visitor/1.0")
        segment.put_http_meta(http.CLIENT_IP, "192.0.2.7")
        try:
            answer = handle()
            segment.put_http_meta(http.STATUS, answer.status_code)
        except Exception as error:
            answer = Answer(500)
            segment.put_http_meta(http.STATUS, 500)
            segment.add_exception(error, get_stacktrace(limit=self._recorder.max_trace_back))
        finally:
            self._end()
        return answer

    def http_client(self, request: Request, send: Send[Answer]) -> Answer:
        """As the patch of requests."""
        args = (request.method, request.url)
        name = get_hostname(request.url)
        return self._record(name, "remote", requests_processor, send, None, args)

    def rpc_server(self, method: str, headers: Headers, handle: Callable[[], None]) -> None:
        segment = self._begin(headers)
        segment.put_http_meta(http.URL, f"grpc://{self._service}{method}")
        segment.put_http_meta(http.METHOD, method)
        try:
            handle()
        except RpcFailed as failed:
            _flag(segment, failed.code)
            raise
        finally:
            self._end()

    def rpc_client(self, host: str, method: str, send: Send[None]) -> None:
        def describe(subsegment: Any, exception: Any, **_others: Any) -> None:
            subsegment.put_http_meta(http.URL, f"grpc://{host}{method}")
            subsegment.put_http_meta(http.METHOD, method)
            if isinstance(exception, RpcFailed):
                _flag(subsegment, exception.code)

        self._record(host, "remote", describe, send)

    def sql(self, database: Database, statement: str, run: Callable[[], T]) -> T:
        """As the traced cursor of dbapi2, with the name the documentation asks for."""

        def execute(_headers: Headers) -> T:
            subsegment = self._recorder.current_subsegment()
            subsegment.name = f"{database.name}@{database.host}"
            url = f"postgresql://{database.user}@{database.host}:{database.port}/{database.name}"
            subsegment.set_sql(
                {
                    "database_type": "PostgreSQL",
                    "url": url,
                    "user": database.user,
                    "database_version": "170002",
                    "driver_version": "Psycopg 2",
                    "sanitized_query": statement,
                }
            )
            subsegment.namespace = "remote"
            return run()

        return self._record("execute", "local", None, execute)

    def aws(
        self, client: Any, operation: str, parameters: Parameters, send: Send[Response]
    ) -> Response:
        """As the patch of botocore."""
        prefix = client.meta.service_model.metadata["endpointPrefix"]
        args = (operation, parameters)
        return self._record(prefix, "aws", aws_meta_processor, send, client, args)

    def poll(self, client: Any, parameters: Parameters, send: Send[Response]) -> Response:
        self._begin({})
        try:
            return self.aws(client, "ReceiveMessage", parameters, send)
        finally:
            self._end()

    def message(self, queue: str, message: Message, handle: Callable[[], None]) -> None:
        segment = self._begin(message.headers)
        try:
            handle()
        except Exception as error:
            segment.add_exception(error, get_stacktrace(limit=self._recorder.max_trace_back))
        finally:
            self._end()

    def work(self, name: str, run: Callable[[], T]) -> T:
        return self._record(name, "local", None, lambda _headers: run())

    def _begin(self, headers: Headers) -> Any:
        header = construct_xray_header(headers)
        segment = self._recorder.begin_segment(
            self._service, traceid=header.root, parent_id=header.parent, sampling=1
        )
        segment.save_origin_trace_header(header)
        return segment

    def _end(self) -> None:
        self._recorder.end_segment()
        time.sleep(_PACE_SECONDS)

    def _record(
        self,
        name: str,
        namespace: str,
        processor: Callable[..., None] | None,
        send: Send[T],
        instance: Any = None,
        args: tuple[Any, ...] = (),
    ) -> T:
        """The SDK's record_subsegment, which its patches go through, header included."""

        def wrapped(*_args: Any) -> Any:
            headers: Headers = {}
            inject_trace_header(headers, self._recorder.current_subsegment())
            return send(headers)

        result: T = self._recorder.record_subsegment(
            wrapped, instance, args, {}, name, namespace, processor
        )
        return result


def _flag(entity: Any, code: StatusCode) -> None:
    if code is StatusCode.RESOURCE_EXHAUSTED:
        entity.add_throttle_flag()
    elif code in _FAULTS:
        entity.add_fault_flag()
    else:
        entity.add_error_flag()
