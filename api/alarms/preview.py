"""What the rule of an alarm would have done over the last day, by the evaluator's own functions."""

from __future__ import annotations

from collections.abc import Sequence

from api.alarms.datapoints import ReadGraph, flags_of, range_of, values_of
from api.errors import ApiError
from api.schemas.alarms import AlarmPreview
from store.alarms import DAY_MINUTES, Alarm, AlarmKind
from store.model import TimeRange
from store.protocol import Store
from store.rules.alarm_state import EXTRA, AlarmState, next_state
from store.times import MINUTE, SECOND


def preview(store: Store, read_graph: ReadGraph, alarm: Alarm, settled: int) -> AlarmPreview:
    """The metric by minute, and when the alarm would have fired; ApiError (400) for one without a metric."""
    if alarm.kind is not AlarmKind.METRIC:
        raise ApiError(f"kind must be {AlarmKind.METRIC} for a preview, got {alarm.kind}")
    end = range_of(alarm, settled).end
    window = TimeRange(end - DAY_MINUTES * MINUTE, end)
    values, _, _, _ = values_of(store, read_graph, alarm, window)
    fired = firings(alarm, flags_of(alarm, values))
    return {
        "from": window.start / SECOND,
        "to": window.end / SECOND,
        "values": values,
        "fired": [(window.start + (minute + 1) * MINUTE) / SECOND for minute in fired],
    }


def firings(alarm: Alarm, flags: Sequence[bool | None]) -> list[int]:
    """The minutes, by index, after which the state would have become ALARM."""
    state, found = AlarmState.INSUFFICIENT_DATA, []
    for minute in range(len(flags)):
        seen = flags[max(0, minute + 1 - alarm.periods - EXTRA) : minute + 1]
        before = state
        state = next_state(seen, alarm.datapoints, alarm.periods, alarm.missing, state)
        if state is AlarmState.ALARM and before is not AlarmState.ALARM:
            found.append(minute)
    return found
