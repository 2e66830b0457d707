"""`group.name` and `group.arn` are replaced by the expression of the group they name."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from store.filters.ast import EVERYTHING, And, Compare, Expression, Not, OneOf, Or, Value
from store.filters.errors import FilterError
from store.filters.keywords import GROUP_KEYWORDS
from store.filters.scopes import Positions


def expand_groups(
    expression: Expression, groups: Mapping[str, Expression | None], positions: Positions
) -> Expression:
    """The expression without groups. ``groups``: by name and by ARN.

    Raises FilterError for a group that does not exist.
    """
    match expression:
        case And(terms) | Or(terms):
            return replace(
                expression, terms=tuple(expand_groups(t, groups, positions) for t in terms)
            )
        case Not(term):
            return Not(expand_groups(term, groups, positions))
        case Compare(field, operator, value) if field.keyword in GROUP_KEYWORDS:
            group = _group(value, groups, positions.of(expression))
            return group if operator == "=" else Not(group)
        case OneOf(field, values) if field.keyword in GROUP_KEYWORDS:
            return Or(tuple(_group(value, groups, positions.of(expression)) for value in values))
    return expression  # inside of blocks there are no groups


def _group(name: Value, groups: Mapping[str, Expression | None], position: int) -> Expression:
    """The expression of a group; one without an expression contains every trace."""
    if name not in groups:
        raise FilterError(f"there is no group {name!r}", position)
    return groups[str(name)] or EVERYTHING
