"""Options that several benches share."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """``--log``, and everything after ``--`` for `raymap serve` (`bench.server.running`)."""
    parser.add_argument("--log", type=Path, help="keep the server's log")
    parser.add_argument("options", nargs="*", help="further options of raymap serve, after --")


def add_climb_options(parser: argparse.ArgumentParser, *, start: float, stop: float) -> None:
    """The rates that a bench tries, one after the other, for each receiver; units/s."""
    parser.add_argument("--start", type=float, default=start, help="first rate, per second")
    parser.add_argument("--stop", type=float, default=stop, help="highest rate to try")
    parser.add_argument("--factor", type=float, default=1.6, help="from one rate to the next")
    parser.add_argument("--refine", type=int, default=2, help="rates between the last two")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each rate")
    parser.add_argument("--limit", type=float, default=240.0, help="seconds for each receiver")


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """``--json FILE``, for `write_json`."""
    parser.add_argument("--json", type=Path, help="write the figures here as well")


def write_json(path: Path | None, figures: DataclassInstance | Sequence[DataclassInstance]) -> None:
    """Write figures where ``--json`` says, if it was given."""
    if path is None:
        return
    value: Any = (
        [asdict(each) for each in figures] if isinstance(figures, Sequence) else asdict(figures)
    )
    path.write_text(json.dumps(value, indent=1))
