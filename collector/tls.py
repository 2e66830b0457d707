"""TLS of the HTTP and gRPC ports, whose certificate can be replaced while they are open."""

from __future__ import annotations

import asyncio
import signal
import ssl
from pathlib import Path

import grpc
import structlog

log = structlog.get_logger(__name__)


class TlsError(Exception):
    """A certificate, key or authority that cannot be used; the message names the file."""


class Tls:
    """A server's certificate, read from files; `reload` reads them again.

    With ``client_ca``, clients need a certificate that one of these authorities has signed.
    """

    def __init__(self, cert: Path, key: Path, client_ca: Path | None = None) -> None:
        """Read the files. Raises TlsError."""
        self._cert, self._key, self._client_ca = cert, key, client_ca
        self.context = self._load()
        self._grpc_config = self._read_grpc_config()
        self._changed = False

    def reload(self) -> bool:
        """Use the files as they are now for new connections; False, and a log line, if they are bad."""
        try:
            self._load()  # tried on a context of its own
            self.context.load_cert_chain(self._cert, self._key)
            self._grpc_config = self._read_grpc_config()
        except TlsError as error:
            log.error("tls_not_reloaded", error=str(error))
            return False
        self._changed = True
        log.info("tls_reloaded", cert=str(self._cert))
        return True

    def reload_on_hangup(self) -> None:
        """`reload` on SIGHUP, which ends a process otherwise. In a running event loop."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)

    def context_factory(self, *_: object) -> ssl.SSLContext:
        """uvicorn's ``ssl_context_factory``."""
        return self.context

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """Credentials that follow `reload`."""
        return grpc.dynamic_ssl_server_credentials(
            self._grpc_config, self._changed_config, self._client_ca is not None
        )

    def _changed_config(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC at each handshake; None for no change."""
        if not self._changed:
            return None
        self._changed = False
        return self._grpc_config

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._cert, self._key)
        except (OSError, ssl.SSLError) as error:
            raise TlsError(f"{self._cert} with the key {self._key}: {_reason(error)}") from None
        if self._client_ca is not None:
            try:
                context.load_verify_locations(self._client_ca)
            except (OSError, ssl.SSLError) as error:
                raise TlsError(f"{self._client_ca}: {_reason(error)}") from None
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _read_grpc_config(self) -> grpc.ServerCertificateConfiguration:
        try:
            pair = (self._key.read_bytes(), self._cert.read_bytes())
            authorities = self._client_ca.read_bytes() if self._client_ca else None
        except OSError as error:
            raise TlsError(f"{error.filename}: {_reason(error)}") from None
        return grpc.ssl_server_certificate_configuration([pair], authorities)


def _reason(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)
