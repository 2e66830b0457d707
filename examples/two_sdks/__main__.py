"""Sends the shop's fixed requests through one of the two SDKs, to a Raymap or any other backend."""

from __future__ import annotations

import argparse

from examples.two_sdks.tracer import Sdk
from examples.two_sdks.visits import VISITS, run

_DESTINATIONS = {
    ("xray", "udp"): "127.0.0.1:2000",
    ("otel", "grpc"): "http://127.0.0.1:4317",
    ("otel", "http"): "http://127.0.0.1:4318/v1/traces",
}


def make_sdk(name: str, protocol: str, to: str) -> Sdk:
    """The SDK of this name; its dependencies are imported only if it is selected."""
    if name == "xray":
        from examples.two_sdks.xray_sdk import XRaySdk

        return XRaySdk(to)
    from examples.two_sdks.otel_sdk import OtelSdk, exporter

    return OtelSdk(exporter(to, protocol))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.two_sdks", description=__doc__)
    parser.add_argument("--sdk", choices=("xray", "otel"), required=True)
    parser.add_argument("--protocol", choices=("grpc", "http"), default="grpc", help="of otel")
    parser.add_argument("--to", help="host:port of the daemon, or the URL of the OTLP receiver")
    parser.add_argument("--mark", default="", help="ends every name, to tell runs apart")
    options = parser.parse_args()
    protocol = "udp" if options.sdk == "xray" else options.protocol
    to = options.to or _DESTINATIONS[options.sdk, protocol]
    run(make_sdk(options.sdk, protocol, to), options.mark)
    print(f"{len(VISITS)} visits, sent with {options.sdk} to {to}")


if __name__ == "__main__":
    main()
