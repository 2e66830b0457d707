"""Rows of answers as tables of pandas and Arrow, which are imported when one is requested."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    import pandas
    import pyarrow

Row = TypeVar("Row")
Flat = dict[str, Any]
TIMES = frozenset({"start", "last_seen"})
"""Columns of epoch seconds."""


class PackageMissing(ImportError):
    """A table was requested whose package is not installed."""


class Rows(Generic[Row]):
    """Rows that are read when they are iterated over, each time anew.

    ``about``: what is known of all of them once they were read, such as their window; `pandas.DataFrame.attrs` and the
    metadata of an Arrow schema have it.
    """

    def __init__(
        self,
        read: Callable[[], Iterable[Row]],
        flat: Callable[[Row], Flat] | None = None,
        about: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self._read = read
        self._flat = flat or (lambda row: flatten(cast("Mapping[str, Any]", row)))
        self._about = about

    def __iter__(self) -> Iterator[Row]:
        return iter(self._read())

    def to_pandas(self) -> pandas.DataFrame:
        """A frame with a row for each; nested values are columns, instants have their zone (UTC)."""
        pd: Any = _package("pandas", "to_pandas()")
        rows = [self._flat(row) for row in self]
        frame = pd.DataFrame(rows, columns=_names(rows))
        for name in TIMES & set(frame.columns):
            frame[name] = pd.to_datetime(frame[name], unit="s", utc=True)
        frame.attrs.update(self._about())
        return cast("pandas.DataFrame", frame)

    def to_arrow(self) -> pyarrow.Table:
        """The same as a table of Arrow. A column of values of several types is text."""
        pa: Any = _package("pyarrow", "to_arrow()")
        rows = [self._flat(row) for row in self]
        columns = {name: _array(pa, name, [row.get(name) for row in rows]) for name in _names(rows)}
        about = {key: json.dumps(value) for key, value in self._about().items()}
        return cast("pyarrow.Table", pa.table(columns).replace_schema_metadata(about or None))


def flatten(row: Mapping[str, Any]) -> Flat:
    """A row without nested objects: ``entry_name``; ``annotation.tier``, the value, or a list of several."""
    flat: Flat = {}
    for name, value in row.items():
        if name == "annotations":
            continue
        if isinstance(value, Mapping):
            flat |= {f"{name}_{inner}": each for inner, each in value.items()}
        else:
            flat[name] = value
    for key, values in row.get("annotations", {}).items():
        flat[f"annotation.{key}"] = values[0] if len(values) == 1 else values
    return flat


def _names(rows: Sequence[Flat]) -> list[str]:
    """Of all rows, in order of appearance; but for what is null in some and an object in the others, whose members are columns."""
    names = dict.fromkeys(name for row in rows for name in row)
    prefixes = {name[:at] for name in names for at, sign in enumerate(name) if sign == "_"}
    known = {name for row in rows for name in prefixes & row.keys() if row[name] is not None}
    return [name for name in names if name not in prefixes or name in known]


def _array(pa: Any, name: str, values: list[Any]) -> Any:
    if name in TIMES:
        instants = [None if v is None else datetime.fromtimestamp(v, UTC) for v in values]
        return pa.array(instants, pa.timestamp("us", "UTC"))
    types = {type(value) for value in values if value is not None}
    if types <= {int, float} and len(types) > 1:
        return pa.array([None if v is None else float(v) for v in values])
    mixed_lists = types == {list} and len({type(e) for v in values for e in v or ()}) > 1
    if len(types) > 1 or mixed_lists or dict in types:
        return pa.array([None if v is None else _text(v) for v in values], pa.string())
    return pa.array(values)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _package(name: str, for_what: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise PackageMissing(
            f"{for_what} needs {name}: pip install {name}, or raymap[notebook]", name=name
        ) from None
