"""Sends the traffic of a serverless shop to an X-Ray daemon's UDP port."""

from __future__ import annotations

import argparse

from examples.serverless.main import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.serverless", description=__doc__)
    parser.add_argument("--udp", default="127.0.0.1:2000", help="host:port that hears segments")
    parser.add_argument("--rate", type=float, default=8.0, help="mean traces per second")
    parser.add_argument("--duration", type=float, help="seconds to run; default: until stopped")
    parser.add_argument("--seed", type=int, help="the same seed tells the same story")
    options = parser.parse_args()
    run(options.udp, options.rate, options.duration, options.seed)


if __name__ == "__main__":
    main()
