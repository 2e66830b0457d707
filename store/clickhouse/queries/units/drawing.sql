-- What facts draw (store.draw), as one row for each of their units.
SELECT drawn.1 AS fact, drawn.2 AS kind, drawn.3 AS source_account, drawn.4 AS source_name, drawn.5 AS source_type,
       drawn.6 AS source_region, drawn.7 AS account, drawn.8 AS name, drawn.9 AS type, drawn.10 AS region,
       drawn.11 AS word, drawn.12 AS is_node, drawn.13 AS active, drawn.14 AS place, drawn.15 AS ended, drawn.16 AS failure
FROM (
    SELECT arrayJoin({drawn:Array(Tuple(UInt64, UInt8, String, String, String, String, String, String, String, String, String, UInt8, UInt8, UInt8, UInt8, String))}) AS drawn
)
