-- The rows of large traces in $rows by how they are looked up (store/clickhouse/units/deciding.py), with when they were inserted.
SELECT trace_id, toUInt8(0) AS relation, id, inserted FROM segments WHERE $rows AND trace_id IN {large:Array(FixedString(16))}
UNION ALL
SELECT trace_id, 0, arrayJoin(members), inserted FROM segments WHERE $rows AND trace_id IN {large:Array(FixedString(16))}
UNION ALL
SELECT trace_id, if(independent = $Independent.NO, 1, 2), parent_id, inserted FROM segments
WHERE $rows AND trace_id IN {large:Array(FixedString(16))} AND independent != $Independent.OF_PARENT AND parent_id != 0
UNION ALL
SELECT trace_id, 0, id, inserted FROM calls WHERE $rows AND trace_id IN {large:Array(FixedString(16))}
