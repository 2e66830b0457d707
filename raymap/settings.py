"""Settings of each role: one frozen dataclass, whose fields are flags and environment variables
(`raymap.flags`)."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from collector.decode.item_size import DEFAULT as DOCUMENT_SIZE
from raymap.options import (
    LOCAL,
    ClickHouseUrl,
    DataDir,
    LogRetention,
    Memory,
    RetentionDays,
    ServerUrl,
    TenantName,
    option,
    parse_document_size,
    parse_journal_size,
    parse_log_link,
    parse_networks,
    parse_redaction,
    parse_udp_tenants,
    port_option,
)


@dataclass(frozen=True, kw_only=True)
class TlsFlags:
    """Of every HTTP and gRPC port (docs/security.md)."""

    tls_cert: Annotated[
        Path | None,
        option("--tls-cert", metavar="FILE", dir_okay=False, help="Certificate chain, PEM."),
    ] = None
    tls_key: Annotated[
        Path | None, option("--tls-key", metavar="FILE", dir_okay=False, help="Its key, PEM.")
    ] = None
    tls_client_ca: Annotated[
        Path | None,
        option(
            "--tls-client-ca",
            metavar="FILE",
            dir_okay=False,
            help="Authorities one of which must have signed the certificate of every client, PEM.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class RedactionFlags:
    """What is removed before anything is stored (docs/privacy.md)."""

    redact: Annotated[
        str,
        option(
            "--redact",
            metavar="JSON",
            show_default="none",
            parser=parse_redaction,
            help="Rules that remove values before anything is stored; [[redact]] in the file.",
        ),
    ] = ""
    redact_defaults: Annotated[
        bool,
        option(
            "--redact-defaults/--no-redact-defaults",
            help="Remove passwords, tokens, cookies, authorization and card numbers.",
        ),
    ] = True


@dataclass(frozen=True, kw_only=True)
class OidcFlags:
    """The provider and our registration there; `raymap.auth.oidc` says what they mean."""

    oidc_issuer: Annotated[
        str,
        option(
            "--oidc-issuer",
            metavar="URL",
            show_default="none",
            help="OpenID Connect provider by which people sign in.",
        ),
    ] = ""
    oidc_client_id: Annotated[
        str, option("--oidc-client-id", metavar="ID", help="Raymap's registration there.")
    ] = ""
    oidc_client_secret: Annotated[
        str,
        option(
            "--oidc-client-secret",
            metavar="SECRET",
            help="Its secret; better in RAYMAP_OIDC_CLIENT_SECRET, which ps does not show.",
        ),
    ] = ""
    oidc_claim: Annotated[
        str, option("--oidc-claim", metavar="NAME", help="Claim that decides the role.")
    ] = "groups"
    oidc_roles: Annotated[
        str,
        option(
            "--oidc-roles",
            metavar="VALUE=ROLE[,…]",
            show_default="none",
            help="Role by value of the claim, like sre=admin,*=viewer; * is everyone.",
        ),
    ] = ""
    oidc_tenants: Annotated[
        str,
        option(
            "--oidc-tenants",
            metavar="VALUE=TENANT[,…]",
            show_default="the default tenant",
            help="Tenant by value of the claim, like acme-staff=acme; * is everyone else.",
        ),
    ] = ""
    public_url: Annotated[
        str,
        option(
            "--public-url",
            metavar="URL",
            show_default="none",
            help="Where browsers find the console, for the way back from the provider.",
        ),
    ] = ""


def parse_topics(text: str) -> str:
    """Topics, comma-separated."""
    from collector.kafka import settings  # not needed to show --help

    try:
        settings.parse_topics(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    return text


@dataclass(frozen=True, kw_only=True)
class KafkaFlags:
    """Of a collector that reads topics (docs/kafka.md)."""

    kafka: Annotated[
        str,
        option(
            "--kafka",
            metavar="BROKER[,BROKER]",
            show_default="none",
            help="Brokers, as HOST:PORT, whose topics are read.",
        ),
    ] = ""
    topic: Annotated[
        str,
        option(
            "--topic",
            metavar="NAME[=ENCODING][@TENANT][,…]",
            parser=parse_topics,
            help="Topics to read: otlp_proto, otlp_json or xray.",
        ),
    ] = "otlp_spans"
    kafka_config: Annotated[
        Path | None,
        option(
            "--kafka-config",
            metavar="FILE",
            dir_okay=False,
            help="Properties of librdkafka, such as SASL's and TLS's, as NAME=VALUE.",
        ),
    ] = None


Role = TypeVar("Role", bound="ProcessSettings")

MAX_DEFAULT_WORKERS = 4
"""An idle collector process takes some 100 MB."""


def default_workers() -> int:
    """Collector processes for this machine: one per usable core, at most MAX_DEFAULT_WORKERS.

    Python decodes on one core per process; ClickHouse uses what remains.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # another system than Linux
        cores = os.cpu_count() or 1
    return min(cores, MAX_DEFAULT_WORKERS)


@dataclass(frozen=True, kw_only=True)
class StoreSettings:
    """Which ClickHouse: a URL, or the embedded one of a data directory."""

    data_dir: DataDir = Path("raymap-data")
    clickhouse: ClickHouseUrl = ""


@dataclass(frozen=True, kw_only=True)
class TenantSettings(StoreSettings):
    """The same, and which tenant's data in it."""

    tenant: TenantName = ""


@dataclass(frozen=True, kw_only=True)
class DoctorSettings(TlsFlags, TenantSettings):
    """What `raymap doctor` looks at beside the store: the certificate that the processes were given."""


@dataclass(frozen=True, kw_only=True)
class ProcessSettings(TlsFlags, RedactionFlags, StoreSettings):
    """What every long-running process takes."""

    host: Annotated[str, option("--host", metavar="ADDRESS", help="Address to listen on.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, port_option("--port", "UDP and HTTP; 0: any free one.")] = 2000
    allowed_host: Annotated[
        str,
        option(
            "--allowed-host",
            metavar="NAME[,NAME]",
            show_default="IP addresses and names without a dot",
            help="Further host names that browsers may use for the console.",
        ),
    ] = ""
    insecure: Annotated[
        bool,
        option("--insecure", help="Accept that other machines can connect without a key."),
    ] = False
    auth: Annotated[
        Literal["off", "ingest-warn", "on"],
        option(
            "--auth",
            help="Whether requests need a key; ingest-warn: traces without one are accepted and counted.",
        ),
    ] = "off"
    keys_file: Annotated[
        Path | None,
        option(
            "--keys-file",
            metavar="FILE",
            dir_okay=False,
            help="Further keys, a JSON list of name, role and token.",
        ),
    ] = None
    trusted_proxy: Annotated[
        str,
        option(
            "--trusted-proxy",
            metavar="CIDR[,CIDR]",
            show_default="none",
            parser=parse_networks,
            help="Proxies that authenticate people and name them in X-Forwarded-User.",
        ),
    ] = ""
    udp_allow: Annotated[
        str,
        option(
            "--udp-allow",
            metavar="CIDR[,CIDR]",
            show_default="everyone; with --auth on this machine",
            parser=parse_networks,
            help="Networks that may send datagrams, and ask for sampling rules, without a key.",
        ),
    ] = ""
    drain_seconds: Annotated[
        float,
        option(
            "--drain-seconds",
            metavar="SECONDS",
            min=0,
            max=600,
            help="Time between a signal to stop, when /readyz becomes 503, and closing the ports.",
        ),
    ] = 0.0
    journal_size: Annotated[
        int,
        option(
            "--journal-size",
            metavar="SIZE",
            parser=parse_journal_size,
            show_default="2G",
            help="Compressed documents on disk that may wait for ClickHouse, for each process.",
        ),
    ] = 2 << 30
    max_document_size: Annotated[
        int,
        option(
            "--max-document-size",
            metavar="SIZE",
            parser=parse_document_size,
            show_default="1M",
            help="Largest document, span, log record or metric that is taken, 128K to 4M.",
        ),
    ] = DOCUMENT_SIZE
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        option("--log-level", help="Lowest level to log, on standard error."),
    ] = "info"
    log_format: Annotated[
        Literal["console", "json"], option("--log-format", help="For people, or for programs.")
    ] = "console"

    @property
    def allowed_hosts(self) -> list[str]:
        """The names in ``allowed_host``."""
        return [name for name in self.allowed_host.split(",") if name.strip()]


@dataclass(frozen=True, kw_only=True)
class IngestSettings(KafkaFlags, ProcessSettings):
    """The receivers beside UDP and HTTP, Kafka, and batching."""

    grpc_port: Annotated[int, port_option("--grpc-port", "gRPC; 0: any free one.")] = 4317
    otlp_port: Annotated[
        int | None,
        port_option(
            "--otlp-port", "OTLP over HTTP; default 4318 if gRPC listens on 4317, else none."
        ),
    ] = None
    udp_tenant: Annotated[
        str,
        option(
            "--udp-tenant",
            metavar="PORT=NAME[,…]",
            show_default="none",
            parser=parse_udp_tenants,
            help="Further UDP ports, each for the datagrams of one tenant.",
        ),
    ] = ""
    linger: Annotated[
        float,
        option(
            "--linger",
            metavar="SECONDS",
            min=0.01,
            max=60,
            help="Time between two inserts while few documents arrive.",
        ),
    ] = 1.0

    @property
    def udp_tenants(self) -> dict[int, str]:
        """The names of tenants by UDP port."""
        pairs = (part.partition("=") for part in self.udp_tenant.split(",") if part.strip())
        return {int(port): name.strip() for port, _, name in pairs}

    @property
    def otlp_http_port(self) -> int | None:
        """4318 accompanies 4317; another gRPC port leaves 4318 to others."""
        return 4318 if self.otlp_port is None and self.grpc_port == 4317 else self.otlp_port


@dataclass(frozen=True, kw_only=True)
class CollectSettings(IngestSettings):
    """A collector process."""

    http: Annotated[
        bool, option("--http/--no-http", help="Listen for HTTP as well, on --port.")
    ] = True
    shared: Annotated[
        bool, option("--shared", help="Share the ports with other collectors (SO_REUSEPORT).")
    ] = False


@dataclass(frozen=True, kw_only=True)
class ApiSettings(OidcFlags, ProcessSettings):
    """An API process."""

    sampling_rate: Annotated[
        float,
        option(
            "--sampling-rate",
            metavar="0…1",
            min=0,
            max=1,
            help="Share of requests that the rule Default makes SDKs record, until UpdateSamplingRule changes it.",
        ),
    ] = 1.0
    log_link: Annotated[
        str,
        option(
            "--log-link",
            metavar="URL",
            parser=parse_log_link,
            show_default="none",
            help="Link from traces to a log store, like https://logs.example.com/?q={trace_id}.",
        ),
    ] = ""
    webhook_host: Annotated[
        str,
        option(
            "--webhook-host",
            metavar="NAME[,NAME]",
            show_default="any",
            help="Hosts that webhooks of alarms may call, like hooks.example.com,*.internal.",
        ),
    ] = ""
    self_trace: Annotated[
        bool,
        option("--self-trace", help="Trace the API's own requests, and store them here, too."),
    ] = False
    unhealthy_share: Annotated[
        float,
        option(
            "--unhealthy-share",
            metavar="0…1",
            min=0,
            max=1,
            help="Share of failed requests from which the console calls a service unhealthy.",
        ),
    ] = 0.05
    unhealthy_count: Annotated[
        int,
        option(
            "--unhealthy-count",
            metavar="N",
            min=1,
            help="Number of failed requests from which it does; both must be reached.",
        ),
    ] = 2
    map_boxes: Annotated[
        Literal["auto", "none", "account", "namespace", "stack", "prefix"],
        option(
            "--map-boxes",
            help="By what the console draws a map of more than 150 nodes in boxes, unless a view chooses otherwise.",
        ),
    ] = "auto"
    max_groups: Annotated[
        int,
        option("--max-groups", metavar="N", min=1, max=100_000, help="X-Ray's groups, at most."),
    ] = 1000
    environment_annotation: Annotated[
        str,
        option(
            "--environment-annotation",
            metavar="KEY",
            help="An annotation that names the environment of a trace, such as stage.",
        ),
    ] = ""

    @property
    def webhook_hosts(self) -> list[str]:
        """The names in ``webhook_host``."""
        return [name.strip() for name in self.webhook_host.split(",") if name.strip()]


@dataclass(frozen=True, kw_only=True)
class ClickHouseSettings:
    """The embedded ClickHouse."""

    data_dir: DataDir = Path("raymap-data")
    clickhouse_memory: Memory = 0
    clickhouse_port: Annotated[int, port_option("--clickhouse-port", "0: any free one.")] = 0
    lock_wait: Annotated[float, option("--lock-wait", min=0, hidden=True)] = 0.0
    """Seconds to wait for another engine to leave the data directory: one that is being restarted."""


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """The demo traffic."""

    url: ServerUrl = LOCAL
    rate: Annotated[float, option("--rate", metavar="N", min=0.01, help="Traces per second.")] = 8.0
    duration: Annotated[
        float | None, option("--duration", metavar="SECONDS", min=0, help="Forever if not given.")
    ] = None
    seed: Annotated[
        int | None, option("--seed", metavar="N", help="The same number repeats the same story.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class ServeSettings(IngestSettings, ApiSettings):
    """`raymap serve`: a collector, an API and whatever else they need."""

    clickhouse_memory: Memory = 0
    retention_days: RetentionDays = None
    log_retention: LogRetention = None
    workers: Annotated[
        int | None,
        option(
            "--workers",
            metavar="N",
            min=1,
            show_default="one per core, at most 4",
            help="Collector processes that share the ports.",
        ),
    ] = None
    demo: Annotated[bool, option("--demo", help="Send demo traffic as well.")] = False

    @property
    def retention(self) -> dict[str, int]:
        """Days by kind of data, of the kinds that were given."""
        given = {"traces": self.retention_days, "logs": self.log_retention}
        return {kind: days for kind, days in given.items() if days is not None}

    @property
    def collectors(self) -> int:
        """Number of collector processes."""
        return self.workers or default_workers()


def derive(role: type[Role], base: ProcessSettings, **changes: Any) -> Role:
    """Settings of one process of `raymap serve`: what it shares with ``base``, and its own."""
    common = {
        each.name: getattr(base, each.name) for each in fields(role) if hasattr(base, each.name)
    }
    return role(**{**common, **changes})
