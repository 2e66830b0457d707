"""The gRPC receiver: `raymap.v1.SegmentService` and OTLP, with health and reflection beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from collector.budget import MAX_BODY
from collector.pipeline import IngestPipeline
from collector.receivers import otlp_grpc, otlp_logs, otlp_metrics, segment_service
from collector.receivers.grpc_messages import BoundedMessages
from collector.receivers.otlp_grpc import add_otlp
from collector.receivers.otlp_logs import add_otlp_logs
from collector.receivers.otlp_metrics import add_otlp_metrics
from collector.receivers.segment_service import add_segment_service
from collector.tls import Tls

SERVICES = (
    segment_service.SERVICE,
    otlp_grpc.SERVICE,
    otlp_logs.SERVICE,
    otlp_metrics.SERVICE,
)
MAX_CALLS = 1000
"""Calls at once; a call that waits for room costs the flow control window."""
_MINUTE = 60_000
CONNECTION_LIMITS: Mapping[str, int] = {
    "grpc.max_metadata_size": 16 << 10,
    "grpc.absolute_max_metadata_size": 64 << 10,
    "grpc.max_concurrent_streams": 100,
    # A peer that pings more often than every 10 s, three times in a row, is disconnected.
    "grpc.http2.max_ping_strikes": 2,
    "grpc.http2.min_ping_interval_without_data_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 1,
    # Our own keepalive finds peers that vanished without closing.
    "grpc.keepalive_time_ms": 2 * _MINUTE,
    "grpc.keepalive_timeout_ms": 20_000,
    # Long-lived connections are renewed, which also spreads them over collectors on one port.
    "grpc.max_connection_age_ms": 30 * _MINUTE,
    "grpc.max_connection_age_grace_ms": 5 * _MINUTE,
    "grpc.max_connection_idle_ms": 30 * _MINUTE,
}
"""What one connection may cost, in bytes and milliseconds; gRPC's defaults are unlimited for most."""


class GrpcReceiver:
    """The server; `start` binds."""

    def __init__(
        self,
        pipeline: IngestPipeline,
        host: str,
        port: int,
        *,
        reuse_port: bool = False,
        max_message: int = MAX_BODY,
        limits: Mapping[str, int] = CONNECTION_LIMITS,
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
        tls: Tls | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        options = [
            ("grpc.so_reuseport", int(reuse_port)),
            ("grpc.max_receive_message_length", max_message),
            *limits.items(),
        ]
        self._server = grpc.aio.server(
            interceptors=[*interceptors, BoundedMessages(max_message)],
            options=options,
            maximum_concurrent_rpcs=MAX_CALLS,
        )
        self._health = health.aio.HealthServicer()
        add_segment_service(self._server, pipeline)
        add_otlp(self._server, pipeline)
        add_otlp_logs(self._server, pipeline)
        add_otlp_metrics(self._server, pipeline)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    async def start(self) -> str:
        """Bind and serve; the address. Raises OSError when the port is in use."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        try:
            port = self._add_port(f"{host}:{self._port}")
        except RuntimeError as error:
            raise OSError(str(error)) from error
        await self._server.start()
        for name in ("", *SERVICES):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return f"{host}:{port}"

    def _add_port(self, address: str) -> int:
        if self._tls is None:
            return int(self._server.add_insecure_port(address))
        return int(self._server.add_secure_port(address, self._tls.grpc_credentials()))

    async def announce_stop(self) -> None:
        """Report NOT_SERVING to health checks, and go on serving."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float) -> None:
        """Refuse new calls; running ones have ``grace`` seconds to finish."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)
