"""ARNs of groups and sampling rules, all of one form (docs/xray-format.md §9.1)."""

from __future__ import annotations

PREFIX = "arn:aws:xray:local:000000000000:"


def group_arn(name: str, unique: str = "") -> str:
    """The ARN of a group; ``unique`` tells it from an earlier group of that name."""
    return f"{PREFIX}group/{name}" + (f"/{unique}" if unique else "")


def rule_arn(name: str) -> str:
    """The ARN of a sampling rule."""
    return f"{PREFIX}sampling-rule/{name}"
