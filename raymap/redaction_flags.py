"""The settings of redaction: flags and environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from raymap.options import option, parse_redaction


@dataclass(frozen=True, kw_only=True)
class RedactionFlags:
    """What is removed before anything is stored (docs/privacy.md)."""

    redact: Annotated[
        str,
        option(
            "--redact",
            metavar="JSON",
            show_default="none",
            parser=parse_redaction,
            help="Rules that remove values before anything is stored; [[redact]] in the file.",
        ),
    ] = ""
    redact_defaults: Annotated[
        bool,
        option(
            "--redact-defaults/--no-redact-defaults",
            help="Remove passwords, tokens, cookies, authorization and card numbers.",
        ),
    ] = True
