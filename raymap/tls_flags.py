"""The settings of TLS: flags and environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from raymap.options import option


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
