"""Zipkin's dependency cases: what its own tests send, what it draws, and what the map draws of it.

Ported, not copied, from openzipkin/zipkin at 878ce2a1 (Apache-2.0): 42 of ``zipkin2.internal.DependencyLinkerTest``
(`linker_cases`) and 17 of ``zipkin2.storage.ITDependencies`` (`storage_cases`). A test that loops over spans is a case
for each. Left out are those that are about something else than which links spans make:

* of DependencyLinkerTest ``baseCase`` (no span), ``logsTraceId`` (its log), ``merge`` and ``merge_error`` (sums of
  links, not spans), ``traceIdIsOpaque`` (here no id of a trace is that of a span);
* of ITDependencies ``empty`` (no span), ``endTsAndLookbackMustBePositive`` (validation of its query), and those whose
  subject is the window of that query: ``looksBackIndefinitely``, ``endTsInsideTheTrace``, ``endTimeBeforeData``,
  ``lookbackAfterData``, ``canSearchForIntervalsBesidesToday``.
"""
