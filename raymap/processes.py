"""What a collector process and an API process are made of. Both run until SIGTERM."""

from __future__ import annotations

import os
import socket
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import raymap.plain_structlog  # noqa: F401 - before all that logs
from collector.decode.item_size import ITEM
from collector.net import PortInUseError, is_loopback
from raymap.cells import resolve_clickhouse
from raymap.data_dir import prepare_data_dir
from raymap.errors import CommandError, require_package
from raymap.http_server import OnReady, Shutdown, listen_tcp, load_tls, port_taken, serve_http
from raymap.logging import set_up_logging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp

    from collector.redaction.redactor import Redactor
    from raymap.auth.install import Authentication
    from raymap.auth.oidc import Provider
    from raymap.settings import (
        ApiSettings,
        CollectSettings,
        IngestSettings,
        ProcessSettings,
        StoreSettings,
    )
    from raymap.shown_settings import ShownSetting
    from store.audit import AuditStore
    from store.clickhouse.connection.address import Address

WRITE_CONNECTIONS, READ_CONNECTIONS = 4, 8
PROCESS = "RAYMAP_PROCESS"
"""The variable with a process's name among those of one `raymap serve`."""


def prepare_process(settings: CollectSettings | ApiSettings, *, supervised: bool) -> list[Address]:
    """Set up logging and resolve the cells of ClickHouse; under a supervisor the schema has been checked."""
    set_up_logging(settings.log_level, settings.log_format)
    if name := os.environ.get(PROCESS):
        from collector.metrics import name_process

        name_process(name)
    ITEM.set(settings.max_document_size)
    require_private(settings)
    prepare_data_dir(settings.data_dir)
    from raymap.cells import require_cells, resolve_cells

    cells = resolve_cells(settings)
    if not supervised:
        require_cells(cells, wait_for_it=True)
    return cells


def prepare_command(settings: StoreSettings) -> Address:
    """Set up logging and resolve ClickHouse, for a command that ends by itself: with the database of
    the tenant, if the command takes one and was given it."""
    set_up_logging()
    return resolve_tenant(settings)


def prepare_command_cells(settings: StoreSettings) -> list[Address]:
    """The same for a command about all cells."""
    set_up_logging()
    return resolve_command_cells(settings)


def resolve_command_cells(settings: StoreSettings) -> list[Address]:
    """All cells; of a tenant, whose data is in the home cell alone, its database."""
    from raymap.cells import resolve_cells
    from raymap.settings import TenantSettings

    of_tenant = isinstance(settings, TenantSettings) and settings.tenant
    return [resolve_tenant(settings)] if of_tenant else resolve_cells(settings)


def require_private(settings: ProcessSettings) -> None:
    """CommandError when other machines could connect and the operator has not accepted that."""
    if settings.insecure or settings.auth == "on" or is_loopback(settings.host):
        return
    raise CommandError(
        f"With --host {settings.host} every machine that reaches this one could read and write "
        "traces. Require keys with --auth on, listen on 127.0.0.1 behind a proxy that "
        "authenticates, or accept it with --insecure."
    )


def require_authentication(settings: IngestSettings) -> None:
    """CommandError for tenants where nothing is known of them."""
    if settings.udp_tenant and settings.auth == "off":
        raise CommandError("--udp-tenant needs --auth on: without it there is one tenant.")


def run_collector_process(
    settings: CollectSettings, cells: Sequence[Address], on_ready: OnReady
) -> int:
    """A collector, until SIGTERM."""
    from collector.app import run_collector
    from collector.batches import Limits
    from collector.settings import CollectorSettings
    from raymap.auth.audit import AuditTrail
    from raymap.auth.datagrams import datagram_senders
    from raymap.auth.install import Authentication
    from raymap.cells import open_cells
    from raymap.kafka_inputs import kafka_inputs
    from raymap.tenants.parts import collector_parts
    from raymap.tenants.pipelines import PipelineChoice, per_request
    from raymap.tenants.ports import udp_ports
    from store.clickhouse.store import ClickHouseStore

    store = ClickHouseStore(cells[0], connections=1)
    authentication = Authentication(settings, store)
    require_authentication(settings)
    limits = Limits(linger=settings.linger)
    redactor = _redactor(settings)
    tenants = collector_parts(settings, cells[0], authentication, redactor, limits)
    choice = PipelineChoice(tenants)

    def guard(app: ASGIApp) -> ASGIApp:
        return _guard(choice.around(AuditTrail(app, store)), settings, authentication, store)

    collector = CollectorSettings(
        writer=lambda: open_cells(cells, connections=WRITE_CONNECTIONS),
        data_dir=settings.data_dir,
        host=settings.host,
        port=settings.port,
        grpc_port=settings.grpc_port,
        otlp_port=settings.otlp_http_port,
        http=settings.http,
        reuse_port=settings.shared,
        shutdown_delay=settings.drain_seconds,
        limits=limits,
        journal_bytes=settings.journal_size,
        guard=guard,
        interceptors=authentication.interceptors(choice.enter),
        tls=load_tls(settings),
        redactor=redactor,
        per_request=partial(per_request, tenants),
        udp_ports=udp_ports(settings.udp_tenants, authentication, tenants),
        kafka=kafka_inputs(settings, authentication, tenants),
        udp_allowed=datagram_senders(settings.udp_allow, settings.auth),
        on_ready=on_ready,
    )
    authentication.start()
    tenants.start()
    try:
        return run_collector(collector)
    except PortInUseError as taken:
        flags = {"gRPC": "--grpc-port", "OTLP": "--otlp-port"}
        flags |= {"UDP": "--udp-tenant"} if taken.port in settings.udp_tenants else {}
        flag = flags.get(taken.kind, "--port")
        raise CommandError(port_taken(taken.kind, settings.host, taken.port, flag)) from None
    finally:
        tenants.stop()
        authentication.stop()
        store.close()


def _guard(
    app: ASGIApp, settings: ProcessSettings, authentication: Authentication, audit: AuditStore
) -> ASGIApp:
    """An HTTP app with the checks of Host, Origin and credentials around it, in this order."""
    from raymap.auth.http import AuthGuard
    from raymap.http_guard import HttpGuard

    if authentication.authenticator is not None:
        app = AuthGuard(app, authentication.authenticator, audit=audit)
    return HttpGuard(app, settings.allowed_hosts)


def _oidc_provider(settings: ApiSettings) -> Provider | None:
    """The provider by which people sign in, if there is one. CommandError for half of one."""
    from raymap.auth.oidc import OidcSettings, Provider, check_url, parse_roles, parse_tenants

    if not settings.oidc_issuer:
        return None
    require_package("joserfc", "Signing in with OpenID Connect", "oidc")
    given = {
        "--oidc-client-id": settings.oidc_client_id,
        "--public-url": settings.public_url,
        "--oidc-roles": settings.oidc_roles,
    }
    if missing := [flag for flag, value in given.items() if not value]:
        raise CommandError(f"--oidc-issuer needs {' and '.join(missing)}.")
    if settings.auth == "off":
        raise CommandError("--oidc-issuer needs --auth on: without it there is no sign-in.")
    try:
        for url in (settings.oidc_issuer, settings.public_url):
            check_url(url)
        roles = parse_roles(settings.oidc_roles)
        tenants = parse_tenants(settings.oidc_tenants)
    except ValueError as error:
        raise CommandError(f"OpenID Connect: {error}.") from None
    return Provider(
        OidcSettings(
            settings.oidc_issuer,
            settings.oidc_client_id,
            settings.oidc_client_secret,
            settings.public_url,
            settings.oidc_claim,
            roles=roles,
            tenants=tenants,
        )
    )


def _redactor(settings: ProcessSettings) -> Redactor:
    """The rules of the settings before the default ones; hashes are under the server's secret."""
    from collector.redaction.defaults import DEFAULTS
    from collector.redaction.redactor import Redactor
    from collector.redaction.rules import parse_rules
    from raymap.auth.secret import server_secret

    rules = (*parse_rules(settings.redact), *(DEFAULTS if settings.redact_defaults else ()))
    return Redactor(rules, partial(server_secret, settings.data_dir))


def run_api_process(
    settings: ApiSettings,
    cells: Sequence[Address],
    on_ready: OnReady,
    shown: Sequence[ShownSetting] = (),
) -> int:
    """The API, the console and the collector's HTTP receivers, until SIGTERM."""
    from collector.pipeline import IngestPipeline
    from raymap.administration.routes import administration_routers
    from raymap.administration.tenants import Server
    from raymap.auth.install import Authentication
    from raymap.cells import open_cells
    from raymap.installation_metrics import InstallationMetrics
    from raymap.self_trace import SelfTrace
    from raymap.tenants.http import ApiOfTenants, api_parts
    from raymap.tenants.pipelines import with_tenants
    from raymap.tenants.service import ApiService

    listener = listen_tcp(settings.host, settings.port)
    store = open_cells(cells, connections=READ_CONNECTIONS)
    # Of its own, so that ingest never waits for a query.
    writer = open_cells(cells, connections=WRITE_CONNECTIONS)
    redactor = _redactor(settings)
    pipeline = IngestPipeline(
        writer,
        settings.data_dir,
        role="api",
        journal_bytes=settings.journal_size,
        redactor=redactor,
    )
    authentication = Authentication(settings, store, _oidc_provider(settings))
    version = raymap_version()
    server = Server(settings, cells[0], store)
    administration = partial(administration_routers, authentication, server, shown, version)
    tenants = api_parts(settings, cells[0], authentication, redactor, version, administration)
    installation = InstallationMetrics(
        settings.data_dir,
        Path(folder) if (folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR")) else None,
        (settings.tls_cert, settings.tls_key),
        store.read_configuration,
        store.last_backup,
    )
    default = ApiService(
        settings,
        store,
        pipeline,
        authentication,
        version,
        administration=administration,
        health=lambda: with_tenants(pipeline, (part.pipeline for part in tenants.parts())),
        metrics=installation.render,
    )
    api = ApiOfTenants(default, tenants)
    traced = SelfTrace(api, pipeline, version) if settings.self_trace else api
    app = _guard(traced, settings, authentication, store)
    shutdown = Shutdown(pipeline.announce_stop, settings.drain_seconds)
    authentication.start()
    serve_http(app, listener, on_ready, shutdown, load_tls(settings))
    authentication.stop()
    store.close()
    writer.close()
    return 0


def resolve_tenant(settings: StoreSettings) -> Address:
    """As `resolve_clickhouse`; the database is the tenant's. CommandError where there is no such tenant."""
    from raymap.settings import TenantSettings
    from raymap.tenants.databases import address_of, find_tenant

    default = resolve_clickhouse(settings)
    if not isinstance(settings, TenantSettings) or not settings.tenant:
        return default
    return address_of(default, find_tenant(default, settings.tenant).name)


def journal_dir(settings: StoreSettings) -> Path:
    """The folder of the journals on this machine: the tenant's, as `resolve_tenant` has its database."""
    from collector.ingest import FOLDER
    from raymap.auth.tenants import FOLDER as TENANTS
    from raymap.settings import TenantSettings
    from raymap.tenants.databases import find_tenant

    if not isinstance(settings, TenantSettings) or not settings.tenant:
        return settings.data_dir / FOLDER
    tenant = find_tenant(resolve_clickhouse(settings), settings.tenant)
    return settings.data_dir / TENANTS / tenant.folder / FOLDER


def udp_address(text: str) -> str:
    """host:port of an address or URL: a server's UDP port is the number of its HTTP port."""
    host, _, port = text.removeprefix("http://").rstrip("/").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise CommandError(f"{text} is no address; expected one like 127.0.0.1:2000.")
    try:
        socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "no such name"
        raise CommandError(f"There is no host {host} to send to: {reason}.") from None
    return f"{host}:{port}"


def require_demo() -> None:
    """CommandError when the packages of the demo are not installed."""
    require_package("aws_xray_sdk", "The demo", "demo")


def require_boto3() -> None:
    """CommandError when boto3, which reads from AWS X-Ray, is not installed."""
    require_package("boto3", "raymap import --from-xray", "xray")


def raymap_version() -> str:
    """The installed version; 0+source in a source tree that is not installed."""
    try:
        return version("raymap")
    except PackageNotFoundError:
        return "0+source"
