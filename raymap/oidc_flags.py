"""The settings by which people sign in with OpenID Connect: flags and environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from raymap.options import option


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
