SELECT key, other_trace, other_id, received, link_weight, case, owner,
       is_root AND key NOT IN (SELECT key FROM linked WHERE other_end != 0), trace, start, duration, last_duration, weight, slot
FROM linked WHERE other_end = 0
