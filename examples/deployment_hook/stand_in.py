"""A stand-in for what a hook calls of AWS, checked against botocore's own models of the services.

boto3 reaches it by ``AWS_ENDPOINT_URL``. Requests are read in the protocols that boto3 has spoken: CBOR
(Smithy RPC v2), JSON and REST. One that a model does not allow is answered with a 400.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import unquote

import botocore.session
from botocore.model import ServiceModel, Shape
from botocore.parsers import RpcV2CBORParser
from botocore.validate import ParamValidator

_RPC = re.compile(r"/service/([^/]+)/operation/([^/]+)")
_INVOKE = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
SERVICES = ("codedeploy", "cloudwatch")


class Call(NamedTuple):
    """A request that the model allows."""

    operation: str
    parameters: dict[str, Any]


class Aws:
    """Serves on a free port until `close`."""

    def __init__(
        self, invoked: Callable[[str, bytes], bool] = lambda function, payload: True
    ) -> None:
        """``invoked``: what an invocation of a function does; whether it succeeds."""
        self.calls: list[Call] = []
        self.refused: list[str] = []
        self.invoked = invoked
        session = botocore.session.get_session()
        self.models = {
            model.metadata["targetPrefix"]: model
            for model in map(session.get_service_model, SERVICES)
        }
        handler = type("Handler", (_Handler,), {"aws": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    aws: Aws
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if found := _INVOKE.fullmatch(self.path.partition("?")[0]):
            failed = not self.aws.invoked(unquote(found[1]), body)
            self._reply(200, b"{}", {"X-Amz-Function-Error": "Unhandled"} if failed else {})
        elif found := _RPC.fullmatch(self.path):
            parameters = RpcV2CBORParser().parse_data_item(BytesIO(body))
            self._call(self.aws.models[found[1]], found[2], parameters, in_cbor=True)
        else:
            prefix, _, operation = self.headers["X-Amz-Target"].partition(".")
            self._call(self.aws.models[prefix], operation, json.loads(body), in_cbor=False)

    def _call(
        self, model: ServiceModel, operation: str, parameters: dict[str, Any], *, in_cbor: bool
    ) -> None:
        shape = model.operation_model(operation).input_shape
        problem = problem_of(parameters, shape)
        if problem:
            self.aws.refused.append(problem)
        else:
            self.aws.calls.append(Call(operation, parameters))
        if not in_cbor:
            self._reply(400 if problem else 200, b"{}", {})
            return
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        self._reply(400 if problem else 200, b"\xa0", headers)  # an empty map

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a test reads standard error."""


def problem_of(parameters: dict[str, Any], shape: Shape) -> str:
    """What a model does not allow: members, types and enums; '' if it allows everything."""
    report: str = ParamValidator().validate(parameters, shape).generate_report()
    for name, value in parameters.items():
        enum = getattr(shape.members.get(name), "enum", None)
        if enum and value not in enum:
            report += f"{name} must be among {enum}, got {value!r}"
    return report
