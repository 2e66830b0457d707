"""Statistics by version, and deployments."""

from __future__ import annotations

from typing import Any

from store.deployments import Deployment
from store.filters.ast import Compare, Expression, Field, Or
from store.model import Document, NodeKey, State, TimeRange
from store.protocol import Store
from store.query import MOST_VERSIONS, OTHER_VERSIONS
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id
from tests.store.contract.nodes import BACKEND, FRONTEND, HOUR

ELSEWHERE = NodeKey("222222222222", "frontend", "")


def request(number: int, version: str = "", **change: Any) -> Document:
    start = change.pop("start", T0 + number * 1000)
    defaults = {"trace_id": trace_id(number), "start": start, "end": start + 100_000}
    return segment(number, **{**defaults, **change}, service_version=version)


class VersionContract:
    """`GraphReader.version_statistics` and `DeploymentStore`."""

    def test_versions_are_counted_apart(self, store: Store) -> None:
        """Every segment of the node by what it reported; none without a version is lost."""
        store.put(
            [
                request(1, "41"),
                request(2, "41", state=State.FAULT, end=T0 + 2000 + 300_000),
                request(3, "42", state=State.THROTTLE),
                request(4, "42", state=State.IN_PROGRESS),
                request(5, calls=(call(0xC1, state=State.FAULT),)),
                request(6, "41", node=ELSEWHERE),
                request(7, "41", start=HOUR.end),
                request(8, "41", start=HOUR.start - 1),
            ],
            "a",
        )
        found = store.version_statistics([FRONTEND], HOUR)
        assert set(found) == {"41", "42", ""}
        old, new = found["41"], found["42"]
        assert (old.first, old.last) == (T0 + 1000, T0 + 2000)
        assert (old.statistics.ok, old.statistics.fault, old.statistics.observed) == (1, 1, 2)
        assert old.statistics.histogram == {100_000: 1, 300_000: 1}
        assert old.statistics.total_time == 400_000
        assert (new.statistics.throttle, new.statistics.in_progress) == (1, 1)
        assert found[""].statistics.ok == 1
        assert store.version_statistics([BACKEND], HOUR) == {}
        assert store.version_statistics([], HOUR) == {}

    def test_versions_of_several_nodes(self, store: Store) -> None:
        store.put([request(1, "41"), request(2, "41", node=ELSEWHERE), request(3, "42")], "a")
        found = store.version_statistics([FRONTEND, ELSEWHERE], HOUR, ["41", "43"])
        assert [(v, each.statistics.ok) for v, each in found.items()] == [("41", 2)]

    def test_all_versions_together_are_the_nodes_statistics(self, store: Store) -> None:
        store.put([request(n, str(n % 3), weight=n % 2 + 1) for n in range(1, 20)], "a")
        found = store.version_statistics([FRONTEND], HOUR).values()
        node = store.service_graph(HOUR).services[FRONTEND].statistics
        assert sum(each.statistics.ok for each in found) == node.ok
        assert sum(each.statistics.observed for each in found) == node.observed
        assert sum(each.statistics.total_time for each in found) == node.total_time

    def test_segments_of_a_sampled_sender_by_weight_or_each_once(self, store: Store) -> None:
        store.put([request(1, "41", weight=8)], "a")
        (weighted,) = store.version_statistics([FRONTEND], HOUR).values()
        (each,) = store.version_statistics([FRONTEND], HOUR, weighted=False).values()
        assert (weighted.statistics.ok, weighted.statistics.histogram) == (8, {100_000: 8})
        assert (each.statistics.ok, each.statistics.histogram) == (1, {100_000: 1})
        assert weighted.statistics.observed == each.statistics.observed == 1

    def test_versions_in_an_environment(self, store: Store) -> None:
        """It is named by any document of the trace, as it is last: by one before the window, too."""
        early = HOUR.start - 30 * MINUTE
        stage = segment(0xE1, trace_id=trace_id(1), start=early, end=early + 9, environment="prod")
        store.put([stage, request(1, "41")], "a")
        store.put([request(2, "41", environment="dev")], "b")
        store.put([request(3, "42", annotations=('stage="prod"',))], "c")
        store.put([request(4, "42", environment="prod", state=State.IN_PROGRESS)], "d")
        store.put([request(4, "42", environment="dev")], "e")
        prod = Compare(Field("environment"), "=", "prod")
        either = Or((prod, Compare(Field("annotation", "stage"), "=", "prod")))

        def counts(within: Expression) -> dict[str, int]:
            found = store.version_statistics([FRONTEND], HOUR, within=within)
            only = store.version_statistics([FRONTEND], HOUR, ["41"], within=within)
            assert only == {version: found[version] for version in found if version == "41"}
            return {version: each.statistics.observed for version, each in found.items()}

        assert counts(prod) == {"41": 1}
        assert counts(either) == {"41": 1, "42": 1}
        assert counts(Compare(Field("environment"), "=", "dev")) == {"41": 1, "42": 1}
        assert counts(Compare(Field("environment"), "=", "test")) == {}

    def test_a_version_by_the_minute(self, store: Store) -> None:
        """Copies count once, and steps without a segment are absent."""
        later = {"start": T0 + 2 * MINUTE}
        store.put([request(1, "41"), request(2, "42", state=State.FAULT, weight=3)], "a")
        store.put([request(3, "42", **later), request(3, "42", **later)], "b")
        store.put([request(4, "42", node=ELSEWHERE)], "c")
        series = store.version_series([FRONTEND], HOUR, "42", MINUTE)
        assert [(at, s.ok, s.fault, s.observed) for at, s in series] == [
            (T0 // MINUTE * MINUTE, 0, 3, 1),
            (later["start"] // MINUTE * MINUTE, 1, 0, 1),
        ]
        assert store.version_series([FRONTEND], HOUR, "43", MINUTE) == []
        assert store.version_series([], HOUR, "42", MINUTE) == []

    def test_copies_of_a_segment_count_once(self, store: Store) -> None:
        """The complete one, also when it starts in another bucket or reports another version."""
        store.put([request(1, "", state=State.IN_PROGRESS)], "a")
        store.put([request(1, "41"), request(1, "41")], "b")
        store.put([request(2, "41", state=State.IN_PROGRESS)], "c")
        store.put([request(2, "42", start=T0 + 2 * MINUTE)], "d")
        found = store.version_statistics([FRONTEND], HOUR)
        assert {version: each.statistics.observed for version, each in found.items()} == {
            "41": 1,
            "42": 1,
        }

    def test_many_versions_are_bounded(self, store: Store) -> None:
        """The most frequent ones are distinguished, the others counted together."""
        numbers = range(1, MOST_VERSIONS + 6)
        store.put([request(n, f"v{n:03}") for n in numbers], "a")
        store.put([request(1000 + n, f"v{n:03}") for n in list(numbers)[-MOST_VERSIONS:]], "b")
        found = store.version_statistics([FRONTEND], HOUR)
        assert len(found) == MOST_VERSIONS + 1
        assert found[OTHER_VERSIONS].statistics.ok == 5
        assert "v006" in found
        assert "v005" not in found
        assert store.version_statistics([FRONTEND], HOUR, ["v005"])["v005"].statistics.ok == 1

    def test_deployments_are_stored_and_replaced(self, store: Store) -> None:
        """By id; the latest comes first."""
        first = Deployment("a", T0, "checkout", "41", note="ü")
        second = Deployment("b", T0 + SECOND, "checkout", "42", link="https://x/'\\")
        store.put_deployment(first, T0)
        store.put_deployment(second, T0 + 1)
        assert store.deployments(HOUR, limit=9) == [second, first]
        assert store.deployments(HOUR, limit=1) == [second]
        assert store.deployments(TimeRange(T0, T0 + SECOND), limit=9) == [first]
        moved = Deployment("a", T0 + 2 * SECOND, "checkout", "41", state="failed")
        store.put_deployment(moved, T0 + 2)
        assert store.deployments(HOUR, limit=9) == [moved, second]

    def test_deployments_are_removed(self, store: Store) -> None:
        store.put_deployment(Deployment("a", T0, "checkout"), T0)
        assert store.remove_deployment("a", T0 + 1)
        assert not store.remove_deployment("a", T0 + 2)
        assert not store.remove_deployment("b", T0 + 2)
        assert store.deployments(HOUR, limit=9) == []
