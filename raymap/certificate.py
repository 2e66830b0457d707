"""When a certificate ends."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path


def not_after(cert: Path, key: Path | None) -> float:
    """When it ends, in epoch seconds: of what a client sees that trusts this certificate alone.
    Raises OSError, ssl.SSLError."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cert)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for end in ends * 3:
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
    seen = ends[0].getpeercert()
    assert seen is not None
    return float(ssl.cert_time_to_seconds(str(seen["notAfter"])))
