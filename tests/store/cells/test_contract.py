"""The contract of every store, over two cells, and at night over four.

At night all of it. In each run are the tests below: at least one of each way in which cells make one answer of theirs, with
traces in both wherever a test of the contract has such. By day the rest is proved by the whole contract within one cell
(`tests/store/test_contract.py`), and by the random traces of `test_agreement.py` here, whose links go from cell to cell.
"""

from __future__ import annotations

import pytest

from store.cells.store import CellStore
from store.protocol import Store
from tests.tiers import NIGHTLY

pytest.register_assert_rewrite("tests.store.contract")
from tests.store.contract import StoreContract as All  # noqa: E402

ADDED_UP = (
    All.test_empty,
    All.test_a_repeated_put_changes_nothing,
    All.test_traces_per_minute,
    All.test_windows_counted_together,
    All.test_lists_and_series_of_each,
    All.test_series_and_failures,
    All.test_minutes_by_node_and_edge,
    All.test_ids_are_the_same_in_every_minute,
    All.test_what_a_node_did,
    All.test_split_nodes_and_edges_add_up,
    All.test_rare_values_are_counted_together,
    All.test_with_a_filter_only_traces_that_satisfy_it,
    All.test_versions_are_counted_apart,
    All.test_many_versions_are_bounded,
    All.test_a_version_by_the_minute,
    All.test_versions_count_requests,
)
"""Counts of the map, of series, minutes, operations, values and versions."""
OF_A_WHOLE_GRAPH = (
    All.test_a_link_joins_two_traces,
    All.test_a_link_from_both_ends_counts_once,
    All.test_links_lead_from_the_senders_value_to_the_receivers,
    All.test_messages_that_were_fetched_together,
    All.test_what_the_sender_and_another_consumer_say_as_well,
    All.test_one_old_orphan_does_not_confirm_the_young_ones,
    All.test_a_young_root_that_awaits_the_trace_it_links_to_has_no_client,
    All.test_a_root_whose_link_resolves_has_no_client,
    All.test_a_root_whose_link_resolves_has_the_sender_for_its_caller,
    All.test_a_host_awaits_what_answers_under_its_name,
    All.test_callers_in_excess_are_one_node,
    All.test_names_that_each_minute_has_anew_are_one_node_of_a_window,
    All.test_an_unanswered_call_joins_the_only_account_of_its_node,
    All.test_an_unanswered_call_joins_the_only_region_of_its_node,
    All.test_one_namespace_is_not_shown,
    All.test_two_namespaces_are_two_nodes,
)
"""Links, clients and names, which look at more than one trace."""
LISTED = (
    All.test_find_newest_first_and_page,
    All.test_a_last_page_that_is_full_has_no_cursor,
    All.test_pages_while_traces_arrive,
    All.test_find_by_filter,
    All.test_units_come_in_pages,
    All.test_units_found_are_those_that_the_map_counts,
    All.test_a_store_reads_enough_to_count_as_whole_traces_do,
    All.test_a_bound_is_stated_with_what_was_counted,
    All.test_entry_times_are_those_of_the_summary,
    All.test_values_are_counted_by_traces,
    All.test_services_and_what_they_do,
    All.test_what_was_stored_last_changes_with_each_arrival_alone,
    All.test_who_makes_up_names_is_a_problem,
    All.test_a_pin_changes_nothing_that_is_read,
    All.test_pins_are_listed,
    All.test_only_what_is_a_trace_can_be_pinned,
)
"""Pages, whole traces by id, values and pins."""
OF_THE_HOME_CELL = (
    All.test_failures_of_handlers_and_the_traces_of_their_requests,
    All.test_the_traces_that_lines_of_requests_name,
    All.test_lines_of_one_place_and_of_some_traces,
    All.test_lines_of_one_kind_that_were_received,
    All.test_points_add_up_by_step,
    All.test_events_are_stored_by_alarm_and_number,
    All.test_what_is_not_delivered_is_pending_in_order,
    All.test_one_at_a_time_has_the_lock,
    All.test_the_newest_of_a_problem_applies,
    All.test_declarations_are_removed,
    All.test_deployments_are_removed,
)
"""Log lines, metrics, alarms, problems, declarations and deployments."""
IN_EACH_RUN = (*ADDED_UP, *OF_A_WHOLE_GRAPH, *LISTED, *OF_THE_HOME_CELL)
Tried: type = (
    All if NIGHTLY else type("Together", (), {each.__name__: each for each in IN_EACH_RUN})
)


class TestCells(Tried):  # type: ignore[misc]
    @pytest.fixture
    def store(self, cell_store: CellStore) -> Store:
        return cell_store


@pytest.mark.nightly
class TestFourCells(All):
    """But for what is of each cell: the limits of names and callers, and in how many minutes it has requests. In two cells the few
    traces of these tests are together where it matters."""

    test_names_in_excess_are_counted_as_one_node = None  # type: ignore[assignment]
    test_callers_in_excess_are_one_node = None  # type: ignore[assignment]
    test_minutes_by_node_and_edge = None  # type: ignore[assignment]

    @pytest.fixture
    def store(self, four_cells: CellStore) -> Store:
        return four_cells
