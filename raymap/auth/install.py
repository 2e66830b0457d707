"""Authentication for one process: what its settings turn on, ready to be put around its apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.datagrams import datagram_senders
from raymap.auth.grpc import AuthInterceptor, Enter
from raymap.auth.key_source import KeySource
from raymap.auth.people import TrustedProxies
from raymap.auth.secret import server_secret
from raymap.auth.tenants import Tenants

if TYPE_CHECKING:
    from raymap.auth.oidc import Provider
    from raymap.auth.sign_in import SignInStore
    from raymap.settings import ProcessSettings


class Authentication:
    """An authenticator and the thread that keeps its keys current.

    Without authentication there is none, and nothing to start.
    """

    def __init__(
        self, settings: ProcessSettings, store: SignInStore, provider: Provider | None = None
    ) -> None:
        self.store, self.provider = store, provider
        mode = Mode(settings.auth)
        self.authenticator: Authenticator | None = None
        self._source: KeySource | None = None
        if mode is not Mode.OFF:
            self._source = KeySource(
                store.read_configuration, settings.data_dir, settings.keys_file
            )
            secret = server_secret(settings.data_dir)
            proxies = TrustedProxies(settings.trusted_proxy)
            senders = datagram_senders(settings.udp_allow, settings.auth)
            self.authenticator = Authenticator(mode, self._source, secret, proxies, senders)

    def tenants(self) -> Tenants | None:
        """The tenants known now; None while they are not, and without authentication, which tells
        them apart."""
        return None if self._source is None else self._source.tenants()

    def refresh(self) -> None:
        """Know at once what this process has changed itself."""
        if self._source is not None:
            self._source.refresh()

    def interceptors(self, enter: Enter | None = None) -> list[grpc.aio.ServerInterceptor]:
        """What a gRPC server needs."""
        if self.authenticator is None:
            return []
        return [AuthInterceptor(self.authenticator, enter, self.store)]

    def start(self) -> None:
        """Read the keys, and keep reading them."""
        if self._source is not None:
            self._source.start()

    def stop(self) -> None:
        if self._source is not None:
            self._source.stop()
