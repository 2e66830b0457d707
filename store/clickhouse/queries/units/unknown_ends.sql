-- The rows of `linked` whose other ends no look-up has found. `is_root`: nor has any caused the root.
SELECT key, other_trace, other_id, received, link_weight, case, owner,
       is_root AND key NOT IN (SELECT key FROM linked WHERE other_end != 0), trace, start, duration, last_duration, weight, slot
FROM linked WHERE other_end = 0
