"""`group.name` and `group.arn` are replaced by the expression of the group they name."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from store.filters.ast import And, Compare, Expression, Not, Or
from store.filters.keywords import GROUP_KEYWORDS
from store.filters.parse import FilterError

EVERYTHING = And(())
"""What a group without an expression stands for."""


def expand_groups(expression: Expression, groups: Mapping[str, Expression | None]) -> Expression:
    """The expression without groups. ``groups``: by name and by ARN.

    Raises FilterError for a group that does not exist.
    """
    match expression:
        case And(terms) | Or(terms):
            return replace(expression, terms=tuple(expand_groups(t, groups) for t in terms))
        case Not(term):
            return Not(expand_groups(term, groups))
        case Compare(field, operator, value) if field.keyword in GROUP_KEYWORDS:
            if value not in groups:
                raise FilterError(f"there is no group {value!r}", 0)
            group = groups[str(value)] or EVERYTHING
            return group if operator == "=" else Not(group)
    return expression  # inside of blocks there are no groups
