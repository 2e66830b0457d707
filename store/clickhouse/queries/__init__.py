"""Every SQL statement of more than three lines, one file each, in a folder per package.

The declarations below are checked when this package is imported (`registry`): a file or place that
is missing, unknown or unused is an error. Usage: ``TEMPLATE.render({"fragment": Sql(...)}, value=1)``.
"""

from __future__ import annotations

from pathlib import Path

from store.clickhouse.queries.registry import (
    QueryError,
    Registry,
    Sql,
    Template,
    in_traces,
    joined,
    parenthesized,
)
from store.clickhouse.queries.rules import RULES
from store.minutes import SeriesKind
from store.model import Fetched, Independent, Kind, State

__all__ = ["REGISTRY", "QueryError", "Sql", "Template", "in_traces", "joined", "parenthesized"]

REGISTRY = Registry(Path(__file__).parent, RULES, Fetched, Independent, Kind, SeriesKind, State)
_sql = REGISTRY.declare

# search: reading traces
TRACES = _sql("search/traces", parameters="ids")
SEGMENTS = _sql("search/segments", "body places texts")
CALLS = _sql("search/calls", "places")
LINKS = _sql("search/links", "places")
LEAN_SEGMENTS = _sql(
    "search/lean_segments",
    "inferred end node service http user_agent annotations operation body texts places",
)
LEAN_CALLS = _sql("search/lean_calls", "operation places")
CAUSED_IDS = _sql("search/caused_ids", parameters="ids")
NODE_SEGMENTS = _sql("search/node_segments", "background located meant", "ids")
NODE_CALLS = _sql("search/node_calls", "located meant may")
LINKED_TRACES = _sql("search/linked_traces", parameters="ids")
ENTRY_TIMES = _sql("search/entry_times", parameters="ids")
UNIT_CANDIDATES = _sql("search/unit_candidates", "rows", "before_at before_id size")
ANNOTATION_KEYS = _sql("search/annotation_keys", "rows", "most prefix size")
ANNOTATION_VALUES = _sql("search/annotation_values", "rows", "key most prefix size")
SERVICES = _sql("search/services", parameters="since size")
OPERATIONS = _sql("search/operations", parameters="service since size")
COLUMN_VALUES = _sql("search/column_values", "column rows", "most prefix size")
BODY = _sql("search/body")
TRACES_IN_WINDOW = _sql("search/traces_in_window", "condition", "start end first last most")
SENDERS = _sql("search/senders", parameters="ids")
# search: scan ranges
NEWEST_FITTING = _sql("search/newest_fitting", "table rows", "few")
NEWEST_START = _sql("search/newest_start", "", "first last end offset")
COUNT_TRACES = _sql("search/count_traces", "timed where", "")
NTH_TRACE = _sql("search/nth_trace", "timed where", "offset")
ALIKE_TRACES = _sql(
    "search/alike_traces",
    "doubtful far certain timed where length units of_documents of_calls rows",
    "offset",
)
ALIKE_ENTRIES = _sql("search/alike_entries")
ALIKE_SEGMENTS = _sql("search/alike_segments")
ALIKE_CALLS = _sql("search/alike_calls")
ALIKE_UNIT_DOUBTS = _sql("search/alike_unit_doubts", "tolerance")
CANDIDATES = _sql("search/candidates", "certain timed where", "size")
NEWEST_ROWS = _sql(
    "search/newest_rows", "table minutes condition", "first_minute last_minute few most"
)
NEWEST_LASTING = _sql("search/newest_lasting", "least", "first_minute last_minute few")
ROLLED_UP_SLOTS = _sql("search/rolled_up_slots", "condition number slots", "width")
UNSETTLED_MINUTES = _sql("search/unsettled_minutes", "pinned_copy", "moment")
ROLLUP_INDEX = _sql("search/rollup_index", "unsettled slots")
MINUTES_OF_TRACES = _sql("search/minutes_of_traces", "minutes")
FAR_TRACES = _sql("search/far", "member passed", "near_first near_last minute_length")
FAR_IDS = _sql("search/far_ids", "far", "most")
MAY_MATCH = _sql("search/may_match", "may", "ids")
PASSED = _sql("search/passed", parameters="day span_start")
IMPLAUSIBLE_EPOCH = _sql(
    "search/implausible_epoch", "", "span_minute span_last_minute span_start span_end"
)
TIMED_BY_ID = _sql("search/timed_by_id", "buckets condition", "day")
TIMED_BY_EVENT = _sql("search/timed_by_event", "buckets condition")
ENDED_TRACES = _sql(
    "search/ended_traces", "", "first_minute span_end_minute long_duration span_start span_end"
)
TIMED_BY_SERVICE = _sql(
    "search/timed_by_service",
    "buckets condition",
    "first_minute span_end_minute window_end_minute long_duration span_start span_end window_end",
)
# search: conditions on traces
NEWEST_COPIES = _sql("search/newest_copies", "table rows condition")
UNANSWERED = _sql("search/unanswered", "rows condition")
SURELY_UNANSWERED = _sql("search/surely_unanswered", "rows condition")
ROOTS = _sql("search/roots", "rows condition")
SURE_ENTRIES = _sql("search/sure_entries", "rows condition")
LASTING = _sql("search/lasting", "rows least")
SURELY_LASTING = _sql("search/surely_lasting", "rows least")
ANSWERED = _sql("search/answered", "rows condition answer")
NESTED_IN_CALLS = _sql("search/nested", "rows")
SURELY_ANSWERED = _sql("search/surely_answered", "rows condition answer")
LAST_BLOCKS = _sql("search/last_blocks")
INNER_EDGES = _sql("search/inner_edges", "rows condition parents")
# units
SCOPE_ROWS = _sql("units/scope_rows", "rows seed", "canary")
SCOPE_LINKS = _sql("units/scope_links", "rows seed")
UNRESOLVED = _sql("units/unresolved")
ODD_TRACES = _sql("units/odd_traces", "entering nested")
CAUSED_ELSEWHERE = _sql("units/caused_elsewhere")
SENDERS_ELSEWHERE = _sql("units/senders_elsewhere", "ours")
ENTERING = _sql("units/entering")
ENTERING_TRACES = _sql("units/entering_traces")
WITHIN = _sql("units/within")
NESTED = _sql("units/nested")
NESTED_TRACES = _sql("units/nested_traces")
CROSS_BUCKET_TRACES = _sql("units/cross_bucket_traces")
DEPENDENT_TRACES = _sql("units/dependent_traces")
TRACES_ELSEWHERE = _sql("units/traces_elsewhere")
RESOLVED_IN_PYTHON = _sql("units/resolved_in_python", "target")
LARGE_TRACES = _sql("units/large_traces", "traces", "most")
OWNERS = _sql("units/owners")
FARTHER_OWNERS = _sql("units/farther_owners")
LINKED = _sql("units/linked", "owner owners plain resolved target")
ADD_LINKED = _sql("units/add_linked", "caused")
ADD_MESSAGES = _sql("units/add_messages", "inner plain target untold")
UNKNOWN_ENDS = _sql("units/unknown_ends")
PAIRS = _sql("units/pairs", "plain tolerance")
JOINED = _sql("units/joined", parameters="better cases pairs")
CALLS_OF_UNITS = _sql("units/calls", "plain target")
JOINED_CALLS = _sql("units/joined_calls", "plain target")
FACTS = _sql("units/facts", "caller calls inner owners plain target unlinked")
INNER_PARENTS = _sql("units/inner_parents", "more owner owners")
ADD_FACTS = _sql("units/add_facts", parameters="facts")
CASES = _sql("units/cases", parameters="numbers")
DRAWING = _sql("units/drawing", parameters="drawn")
UNITS = _sql("units/units", "bucket time visits weight")
UNITS_WITH_OTHER_NAMES = _sql("units/units_with_other_names", "bucket time visits weight")
MANY_NAMES = _sql("units/many_names", "whole_minutes", "most")
ODD_NAMES = _sql("units/odd_names", parameters="names")
EXCESS_NAMES = _sql("units/excess_names", "plain whole_minutes", "most")
GETS_MESSAGES = _sql("units/gets_messages", "broker")
HISTOGRAM_BUCKET = _sql("units/histogram_bucket", "column power")
POWER = _sql("units/power", "column")
# rollup
CURRENT_ROWS = _sql("rollup/current_rows", "not_pinned_copy rows")
IDS_HERE = _sql("rollup/ids_here", "rows")
CROSSING_LINKS = _sql("rollup/crossing_links", "foreign rows")
NAMED_ELSEWHERE = _sql("rollup/named_elsewhere", "rows")
STEPS_OF_LINKS = _sql("rollup/steps_of_links", "anew", "since step until")
LINKS_OF_STEP = _sql("rollup/links_of_step", "anew", "number step")
BEGUN_ELSEWHERE = _sql("rollup/begun_elsewhere", "anew", "cell")
PLACES_AMONG = _sql("rollup/places_among", "buckets", "ids")
MARK_NOW = _sql("rollup/mark_now", parameters="buckets settle")
ROWS_OF_TRACES = _sql("rollup/rows_of_traces", "not_pinned_copy places", "ids")
ROWS_OF_SENDERS = _sql("rollup/rows_of_senders", "not_pinned_copy", "ids")
RECORDED_REFERENCES = _sql("rollup/recorded_references", parameters="ids")
WRITE_BUCKETS = _sql("rollup/write_buckets")
FAR_ROWS = _sql("rollup/far_rows", "buckets by_trace not_pinned_copy sender_rows shared", "before")
BUCKET_VERSIONS = _sql("rollup/bucket_versions", "buckets")
MINUTE_VERSIONS = _sql("rollup/minute_versions", "minutes")
WIDE_ROWS = _sql("rollup/wide_rows", "wides")
RECOUNT_BUCKETS = _sql(
    "rollup/recount_buckets",
    "key ordered sums traces units",
    "rev versions",
)
ADD_UP_MINUTES = _sql("rollup/add_up_minutes", "buckets", "rev revisions versions")
DEPENDENTS = _sql("rollup/dependents", "buckets by_trace rows")
DEPENDENTS_BY_ID = _sql("rollup/dependents_by_id", "buckets rows", "large")
LARGE_WITHOUT_LINKS = _sql("rollup/large_without_links", parameters="most")
CONFIRM_WIDE = _sql("rollup/confirm_wide", "wides", parameters="rev width")
OUTDATED_WIDE = _sql("rollup/outdated_wide", parameters="before width")
DOWNSAMPLE = _sql("rollup/downsample", "slots wides", parameters="rev width")
REOPEN_WIDE = _sql("rollup/reopen_wide", "wides", parameters="rev")
FEW_DIRTY = _sql("rollup/few_dirty", "", "guard most")
NEXT_BUCKETS = _sql("rollup/next_buckets", "", "guard first most")
BACKLOG = _sql("rollup/backlog", "windows", "guard")
LOOKED = _sql("rollup/looked", "buckets")
MARK = _sql("rollup/mark")
# graph
VERSIONS = _sql("graph/versions", "which", parameters="first last")
MINUTE_ROWS = _sql("graph/minute_rows", parameters="first last")
SLOT_SUMS = _sql("graph/slot_sums", "part revisions slots")
SLOT_HISTOGRAMS = _sql("graph/slot_histograms", "part revisions slots")
SLOT_NAMES = _sql("graph/slot_names", "part revisions slots", parameters="ids")
COUNTED_MINUTES = _sql("graph/counted_minutes", parameters="first last")
MINUTE_COUNTS = _sql("graph/minute_counts", parameters="first last")
MINUTE_SERIES = _sql("graph/minute_series", parameters="first ids last")
ROLLED_UP = _sql("graph/rolled_up", "slots")
ROLLED_UP_HISTOGRAMS = _sql("graph/rolled_up_histograms", "slots")
ROLLED_UP_STEPS = _sql("graph/rolled_up_steps", "key slots", parameters="step")
WIDE_STEPS = _sql("graph/wide_steps", "key revisions slots", parameters="step")
PIECES = _sql("graph/pieces", "pieces")
COUNTED_PIECE = _sql(
    "graph/counted_piece",
    "key ordered sums traces units",
)
STORED_PIECE = _sql("graph/stored_piece", "key revisions")
STORED_VISITS = _sql("graph/stored_visits", "window revisions")
TRACES_IN_PIECES = _sql("graph/traces_in_pieces", "not_pinned_copy rows")
UNIT_DOCUMENTS = _sql("graph/unit_documents", "deployed places")
UNIT_STEPS = _sql(
    "graph/unit_steps",
    "key ordered sums traces units",
)
BUCKET_STEPS = _sql("graph/bucket_steps", "key revisions", parameters="step")
VERIFY_MINUTES = _sql("graph/verify_minutes", parameters="first last")
VERIFY_WIDE = _sql("graph/verify_wide", parameters="first last")
# versions and deployments
MOST_FREQUENT = _sql("versions/most_frequent", "nodes not_pinned_copy rows segments value", "most")
STATISTICS_BY = _sql(
    "versions/statistics",
    "later nodes not_pinned_copy request rows segments value weight",
    "all apart rest step",
)
ANY_OTHER_UNIT = _sql("versions/any_other", "named near nodes rows")
ANY_BACKGROUND = _sql("versions/any_background", "named rows")
ANY_REQUEST = _sql("versions/any_request", "nodes not_pinned_copy request rows")
REQUEST = _sql("versions/request", "nodes not_pinned_copy rows")
ANY_NESTED = _sql("versions/any_nested", "named rows")
ANY_PASSED_ON = _sql("versions/any_passed_on", "nodes rows")
OF_APPLICATIONS = _sql("versions/of_applications", "named near nodes rows tolerance")
ANY_REPEATED = _sql("versions/any_repeated", "named near nodes rows")
REPEATED = _sql("versions/repeated", "named near nodes rows tolerance")
DEPLOYMENTS = _sql("versions/deployments", parameters="end most start")
# pins
PINNED = _sql("pins/pinned", "condition")
ORIGINALS = _sql("pins/originals", "not_pinned_copy")
COPIED_TRACES = _sql("pins/copied", "pinned_copy")
COPY_ROWS = _sql("pins/copy", "columns condition staging table values")
COPIED_COLUMNS = _sql("pins/copied_columns", parameters="table")
STAGING_PARTITIONS = _sql("pins/staging_partitions", parameters="table")
USED_PIN_DAYS = _sql("pins/used_days", parameters="first tables")
STALE_STAGING = _sql("pins/stale_staging", parameters="seconds")
INCOMPLETE_PIN_PARTITIONS = _sql("pins/incomplete", parameters="first seconds tables")
# forget
FORGOTTEN_TRACES = _sql("forget/traces", parameters="forms items user")
TABLES_OF_TRACES = _sql("forget/tables")
BUCKETS_OF_TRACES = _sql("forget/buckets", "ids")
FORGOTTEN_OPERATIONS = _sql("forget/operations", "rows")
# retention
STORED_TRACES = _sql("retention/traces", "condition", "first_pinned tables")
STORED_PINNED = _sql("retention/pinned", parameters="first_pinned tables")
STORED_MAP_ROWS = _sql("retention/map_rows", "condition kind")
STORED_SIZE = _sql("retention/table_size", parameters="table")
STORED_ROWS = _sql("retention/dated_rows", "condition table")
TABLE_DEFINITIONS = _sql("retention/definitions")
# diagnostics
DAMAGE_ERRORS = _sql("diagnostics/damage_errors")
ACTIVE_PARTS = _sql("diagnostics/active_parts", parameters="names")
BROKEN_PARTS = _sql("diagnostics/broken_parts")
RECENT_EXCESS_NAMES = _sql("diagnostics/excess_names", parameters="first other")
MOST_PARTS = _sql("diagnostics/most_parts")
# config
LAST_SAMPLING_REPORTS = _sql("config/last_sampling_reports", parameters="start end most")
SAMPLING_SUMS = _sql("config/sampling_sums", parameters="start end step")
FIRST_ANOMALIES = _sql("config/first_anomalies", parameters="start end rule")
RETRIEVAL = _sql("config/retrieval", parameters="token valid_after")
LAYOUT = _sql("config/layout", parameters="name")
# alarms
LAST_EVENTS = _sql("alarms/last_events")
ALARM_HISTORY = _sql("alarms/history", parameters="alarm most")
PENDING_DELIVERIES = _sql("alarms/pending", parameters="final most of_url since")
DELIVERIES = _sql("alarms/deliveries", parameters="events")
# problems
PROBLEMS = _sql("problems/found", parameters="end most start states")
PROBLEM = _sql("problems/one", parameters="id")
# logs
REQUEST_LINES = _sql(
    "logs/request_lines",
    parameters="end failed first last most no_trace requests start streams trace",
)
NODE_LINES = _sql(
    "logs/node_lines",
    parameters="account end failed first last most names of_traces record region start traces",
)
FAILED_REQUESTS = _sql("logs/failed_requests", parameters="no_trace since")
REQUEST_TRACES = _sql("logs/request_traces", parameters="end first last no_trace requests start")
RECORDED_LINES = _sql("logs/recorded_lines", parameters="most record since")
# metrics
METRIC_STEPS = _sql("metrics/metric_steps", parameters="account first last name region step types")

REGISTRY.require_complete()
