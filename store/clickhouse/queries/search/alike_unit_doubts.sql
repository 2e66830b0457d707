-- Whether units of a trace may be others than its segments, and its calls that no segment names: spans may enter their services, SERVER
-- spans be one request (store.parents), calls be one (store.layers), or other rows decide. $tolerance: store.layers.TOLERANCE.
documents.odd > 0 OR calls.odd > 0
OR (documents.embedding > 0 AND notEmpty(documents.inner))
OR hasAny(documents.below, documents.servers) OR length(documents.below) != length(arrayDistinct(documents.below))
OR arrayExists(
    span -> arrayExists(above -> above.1 = span.1 AND above.2 != span.2, arrayConcat(documents.holders, calls.holders)),
    documents.entering
)
OR arrayExists(
    call -> arrayExists(
        around -> around.1 != call.1 AND around.3 = call.3 AND around.4 <= call.4 + $tolerance AND (around.6 OR around.5 >= call.5 - $tolerance),
        calls.inner
    ),
    arrayFilter(
        call -> has(arrayMap(span -> span.1, arrayFilter(span -> has(documents.inner, span.2) OR has(calls.ids, span.2), documents.leaving)), call.2),
        calls.inner
    )
)
