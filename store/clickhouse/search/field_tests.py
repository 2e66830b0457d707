"""Comparisons of a filter (`store.filters.evaluate`) as SQL on columns of `segments` and `calls`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isinf

from store.clickhouse.queries import Sql
from store.clickhouse.search.bounds import FALSE, Bounds, Values, conjunction, disjunction, exactly
from store.filters.ast import Bare, Compare, Exists, FieldTest, OneOf
from store.rules.annotations import annotation_item

MICROSECONDS = 1_000_000
LARGEST = 1 << 62
EXACT_INTEGERS = 2.0**53
"""From here on several integers are one float."""
PRECISION = 1e-12
"""ClickHouse reads decimals to the last digit but one."""

_TEXT = {
    "=": "{} = <value>",
    "!=": "{} != <value>",
    "contains": "position({}, <value>) > 0",
    "beginswith": "startsWith({}, <value>)",
    "endswith": "endsWith({}, <value>)",
    "=~": "match({}, <value>)",
}
_NUMBER = {
    "<": ("{} < <high>", "{} < <low>"),
    "<=": ("{} <= <high>", "{} <= <low>"),
    ">": ("{} > <low>", "{} > <high>"),
    ">=": ("{} >= <low>", "{} >= <high>"),
}
"""Comparisons of a decimal: what may be true, what surely is."""

KEYS = "arrayMap(item -> substring(item, 1, position(item, '=')), annotations)"
"""The keys of a row's annotations, each with its ``=``: what the index `by_key` is over."""


def text_test(test: FieldTest, columns: Sequence[str], values: Values, *, blank: bool) -> Sql:
    """One of some columns passes. ``blank``: an empty text is a value, too."""
    return disjunction(_text_test(test, column, values, blank) for column in columns)


def _text_test(test: FieldTest, column: str, values: Values, blank: bool) -> Sql:
    is_set = Sql(f"{column} != ''")
    match test:
        case Bare() | Exists():
            return is_set
        case OneOf(values=wanted):
            texts = [each for each in wanted if isinstance(each, str) and (each or blank)]
            return disjunction(
                values.text(f"{column} = <value>", value=(t, "String")) for t in texts
            )
        case Compare(_, operator, value):
            if not isinstance(value, str):
                return FALSE
            if operator == "contains" and not value:
                return is_set
            found = values.text(_TEXT[operator].format(column), value=(value, "String"))
            return found if blank else conjunction([is_set, found])


def number_test(test: FieldTest, column: str, scale: int, values: Values) -> Sql:
    """An integer column, divided by ``scale``, passes. Whether it has a value is not tested."""
    match test:
        case Bare() | Exists():
            return Sql("1")
        case OneOf(values=wanted):
            return disjunction(_within(column, "=", each, scale, values) for each in wanted)
        case Compare(_, operator, value):
            return _within(column, operator, value, scale, values)


def _within(column: str, operator: str, value: object, scale: int, values: Values) -> Sql:
    if isinstance(value, bool) or not isinstance(value, float):
        return FALSE
    low, high = integer_range("=" if operator == "!=" else operator, value, scale)
    negation = "NOT " if operator == "!=" else ""
    return values.text(
        f"{column} {negation}BETWEEN <low> AND <high>", low=(low, "Int64"), high=(high, "Int64")
    )


def integer_range(operator: str, value: float, scale: int) -> tuple[int, int]:
    """The first and last integer that passes when it is divided by ``scale``; first > last if none does.

    Found with Python's own division and comparison, so that SQL need not divide.
    """
    below = _count_while(lambda n: n / scale < value)
    up_to = _count_while(lambda n: n / scale <= value)
    return {
        "<": (-LARGEST, below - 1),
        "<=": (-LARGEST, up_to - 1),
        ">": (up_to, LARGEST),
        ">=": (below, LARGEST),
        "=": (below, up_to - 1),
    }[operator]


def _count_while(is_true: Callable[[int], bool]) -> int:
    """The first integer for which a condition that is true up to some point is false."""
    low, high = -LARGEST, LARGEST
    while low < high:
        middle = (low + high) // 2
        if is_true(middle):
            low = middle + 1
        else:
            high = middle
    return low


def annotation_test(test: FieldTest, values: Values) -> Bounds:
    """An annotation of a row passes."""
    key = test.field.key
    match test:
        case Bare():
            false = annotation_item(key, False)
            return exactly(_any_item(key, "item != <value>", values, value=(false, "String")))
        case Exists():
            return exactly(_any_item(key, "1", values))
        case OneOf(values=wanted):
            parts = [_equals(key, each, values) for each in wanted]
            return Bounds(
                disjunction(part.may for part in parts), disjunction(part.must for part in parts)
            )
        case Compare(_, "=", value):
            return _equals(key, value, values)
        case Compare(_, operator, str(value)):
            return exactly(_text_item(key, operator, value, values))
        case Compare(_, "!=", bool(value)):
            return _equals(key, not value, values)
        case Compare(_, operator, value):
            return _number_item(key, operator, float(value), values)


def _equals(key: str, value: str | float | bool, values: Values) -> Bounds:
    item = values.text("has(annotations, <item>)", item=(annotation_item(key, value), "String"))
    if isinstance(value, float) and abs(value) >= EXACT_INTEGERS:
        low, high = _around(value)
        near = "{0} >= <low> AND {0} <= <high>".format(_decimal(key))
        bounds = {"low": (low, "Float64"), "high": (high, "Float64")}
        return Bounds(_any_item(key, near, values, **bounds), item)
    return exactly(item)


def _text_item(key: str, operator: str, value: str, values: Values) -> Sql:
    """Texts are JSON, so they begin with a quote."""
    if operator == "!=":
        unequal = {"value": (annotation_item(key, value), "String")}
        return _any_item(key, f"{_value(key, 1)} = '\"' AND item != <value>", values, **unequal)
    text = f"JSONExtractString({_value(key)})"
    test = f"{text} != ''" if operator == "contains" and not value else _TEXT[operator].format(text)
    is_text = f"{_value(key, 1)} = '\"'"
    parts = {} if "<value>" not in test else {"value": (value, "String")}
    return _any_item(key, f"{is_text} AND {test}", values, **parts)


def _number_item(key: str, operator: str, value: float, values: Values) -> Bounds:
    low, high = _around(value)
    number = _decimal(key)
    if operator == "!=":
        item = annotation_item(key, value)
        unequal = _any_item(
            key, f"isNotNull({number}) AND item != <value>", values, value=(item, "String")
        )
        sure = f"{number} < <low> OR {number} > <high>"
        bounds = {"low": (low, "Float64"), "high": (high, "Float64")}
        return Bounds(unequal, _any_item(key, sure, values, **bounds))
    may, must = (
        _any_item(
            key,
            test.format(number),
            values,
            **{
                name: (bound, "Float64")
                for name, bound in (("low", low), ("high", high))
                if f"<{name}>" in test
            },
        )
        for test in _NUMBER[operator]
    )
    return Bounds(may, must)


def _around(value: float) -> tuple[float, float]:
    margin = 0.0 if isinf(value) else abs(value) * PRECISION
    return value - margin, value + margin


def _any_item(key: str, test: str, values: Values, **parameters: tuple[object, str]) -> Sql:
    """An annotation with this key exists whose ``item`` passes. The first part has an index."""
    prefix = annotation_item(key, "").removesuffix('""')
    return values.text(
        f"(has({KEYS}, <prefix>) AND arrayExists("
        f"item -> startsWith(item, <prefix>) AND ifNull({test}, 0), annotations))",
        prefix=(prefix, "String"),
        **parameters,
    )


def _value(key: str, length: int | None = None) -> str:
    """The JSON text of an item's value, or its beginning."""
    begin = len(annotation_item(key, "").encode()) - 1
    return f"substring(item, {begin}{f', {length}' if length else ''})"


def _decimal(key: str) -> str:
    """The number that an item's value is, or NULL."""
    return f"toFloat64OrNull({_value(key)})"
