"""OpenID Connect: signs people in with another provider, by code and PKCE (OpenID Connect Core 1.0, section 3.1).

What has to be remembered between the two halves of a sign-in is a flow (`raymap.auth.oidc_flow`). Tokens of
the provider are checked once and stored nowhere.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct

from collector.receivers.access import is_loopback
from raymap.auth.oidc_flow import Flow, OidcError
from raymap.auth.permissions import Role
from raymap.tenant_names import DEFAULT, check_name

if TYPE_CHECKING:
    from joserfc.jwk import KeySetSerialization

KEYS_SECONDS, KEYS_AGAIN = 3600.0, 60.0
"""For how long the provider's keys are used, and how soon they are read again for an unknown one."""
TIMEOUT = 10.0
MAX_RESPONSE = 1 << 20
LEEWAY = 60
"""Seconds by which the provider's clock may differ."""
ALGORITHMS = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
]
"""Signatures by a key that only the provider has."""
ANYONE = "*"


class OidcSettings(Struct, frozen=True):
    """The provider and our registration there. ``roles``, and names of ``tenants``: by value of
    ``claim``, `ANYONE` for all (others) whom the provider signs in."""

    issuer: str
    client_id: str
    client_secret: str
    public_url: str
    claim: str = "groups"
    scope: str = "openid profile email"
    roles: Mapping[str, Role] = {}
    tenants: Mapping[str, str] = {}

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends people back to."""
        return f"{self.public_url.rstrip('/')}/auth/oidc/callback"


class Member(NamedTuple):
    """Who the provider says it is."""

    name: str
    role: Role
    tenant: str = ""
    """The name, `DEFAULT` of the default one; empty if nothing gives one."""


def parse_tenants(text: str) -> dict[str, str]:
    """``acme-staff=acme,ops=default,*=visitors``. Raises ValueError."""
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        value, equals, name = part.rpartition("=")
        if not equals or not value:
            raise ValueError(f"{part!r}: expected VALUE=TENANT")
        if name != DEFAULT:
            check_name(name)
        found[value] = name
    return found


def parse_roles(text: str) -> dict[str, Role]:
    """``sre=admin,dev=editor,*=viewer``. Raises ValueError."""
    found: dict[str, Role] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        value, equals, name = part.rpartition("=")
        if not equals or not value or name not in set(Role) - {Role.INGEST}:
            raise ValueError(f"{part!r}: expected VALUE=viewer, editor or admin")
        found[value] = Role(name)
    return found


def check_url(url: str) -> str:
    """A URL of https, or of this machine. Raises ValueError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    own = host == "localhost" or is_loopback(host)
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and own)):
        raise ValueError(f"{url!r}: expected https://…")
    return url


class Provider:
    """Talks to the provider; blocks. Thread-safe."""

    def __init__(self, settings: OidcSettings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: Any = None
        self._read = -KEYS_SECONDS

    def authorization_url(self, flow: Flow) -> str:
        """Where to send the browser. Raises OidcError."""
        digest = hashlib.sha256(flow.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.settings.redirect_uri,
            "scope": self.settings.scope,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def finish(self, flow: Flow, code: str) -> Member:
        """Whom a code stands for. Raises OidcError."""
        token = self._exchange(flow, code).get("id_token")
        if not isinstance(token, str):
            raise OidcError("no_token", "the provider has sent no ID token")
        return self._member(self._claims(token, flow.nonce))

    def _exchange(self, flow: Flow, code: str) -> dict[str, Any]:
        settings = self.settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": settings.redirect_uri,
            "client_id": settings.client_id,
            "code_verifier": flow.verifier,
        }
        headers = {}
        methods = self._discover().get("token_endpoint_auth_methods_supported")
        if settings.client_secret and methods == ["client_secret_post"]:
            form["client_secret"] = settings.client_secret
        elif settings.client_secret:
            pair = f"{quote(settings.client_id, '')}:{quote(settings.client_secret, '')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return _request(self._endpoint("token_endpoint"), urlencode(form).encode(), headers)

    def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token of this provider for this sign-in. Raises OidcError."""
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError, JoseError

        settings = self.settings
        try:
            try:
                decoded = jwt.decode(token, self._key_set(), algorithms=ALGORITHMS)
            except InvalidKeyIdError:  # it has a new key
                decoded = jwt.decode(token, self._key_set(again=True), algorithms=ALGORITHMS)
            registry = jwt.JWTClaimsRegistry(
                now=lambda: int(self._clock()),
                leeway=LEEWAY,
                iss={"essential": True, "value": settings.issuer},
                aud={"essential": True, "value": settings.client_id},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            registry.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise OidcError(
                "token", f"the provider's ID token is not valid: {type(error).__name__}"
            ) from None
        claims: dict[str, Any] = decoded.claims
        authorized = claims.get("azp")
        if authorized is not None and authorized != settings.client_id:
            raise OidcError("token", "the provider's ID token is for another application")
        return claims

    def _member(self, claims: Mapping[str, Any]) -> Member:
        names = [claims.get("preferred_username")]
        if claims.get("email_verified") is not False:
            names.append(claims.get("email"))
        name = next((each for each in names if isinstance(each, str) and each), str(claims["sub"]))
        given = claims.get(self.settings.claim)
        values = given if isinstance(given, list) else [given]
        wanted = {value for value in values if isinstance(value, str)} | {ANYONE}
        found = {role for value, role in self.settings.roles.items() if value in wanted}
        role = next((each for each in reversed(Role) if each in found), None)
        if role is None:
            raise OidcError(
                "role", f"{name[:100]} has no role here: {self.settings.claim} gives none"
            )
        tenants = {
            name for value, name in self.settings.tenants.items() if value in wanted - {ANYONE}
        }
        if len(tenants) > 1:
            raise OidcError("tenant", f"{name[:100]} belongs to several tenants here")
        return Member(name[:100], role, next(iter(tenants), self.settings.tenants.get(ANYONE, "")))

    def _endpoint(self, name: str) -> str:
        url = self._discover().get(name)
        try:
            return check_url(url if isinstance(url, str) else "")
        except ValueError:
            raise OidcError("discovery", f"the provider has no valid {name}") from None

    def _discover(self) -> dict[str, Any]:
        with self._lock:
            if not self._metadata:
                url = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
                found = _request(url)
                if found.get("issuer") != self.settings.issuer:
                    raise OidcError("discovery", "the provider calls itself by another issuer")
                self._metadata = found
            return self._metadata

    def _key_set(self, *, again: bool = False) -> Any:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        endpoint = self._endpoint("jwks_uri")
        with self._lock:
            age = self._clock() - self._read
            if age >= (KEYS_AGAIN if again else KEYS_SECONDS) or self._keys is None:
                found, self._read = _request(endpoint), self._clock()
                try:
                    self._keys = KeySet.import_key_set(cast("KeySetSerialization", found))
                except (JoseError, KeyError, TypeError, ValueError):
                    raise OidcError("keys", "the provider has no usable keys") from None
            return self._keys


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Endpoints are where the provider says; a redirect could lead anywhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _request(
    url: str, form: bytes | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The JSON object that a URL answers with. Raises OidcError."""
    try:
        request = urllib.request.Request(
            check_url(url), form, {"Accept": "application/json", **(headers or {})}
        )
        with _opener.open(request, timeout=TIMEOUT) as response:
            found = json.loads(response.read(MAX_RESPONSE))
    except urllib.error.HTTPError as error:
        raise OidcError("provider", f"the provider answers {error.code}") from None
    except (OSError, ValueError) as error:
        raise OidcError(
            "provider", f"the provider does not answer as expected: {error!s:.100}"
        ) from None
    if not isinstance(found, dict):
        raise OidcError("provider", "the provider does not answer as expected: no object")
    return found
