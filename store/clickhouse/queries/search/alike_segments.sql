-- Of the documents of a trace what says whether each segment is a unit, and no other document is: see alike_unit_doubts.
-- `odd`: units of which other rows decide; `inner`: spans that name their service, inside of it or entering it; `leaving`: those of
-- them that call, with their parents; `servers`, `below`: SERVER spans by their id and by their parent.
countIf(independent = 1 OR fetched != 0 OR (kind = 2 AND before_name != '') OR /*include units/passed_on*/) AS odd,
countIf(notEmpty(members)) AS embedding,
groupArray((id, toString(name))) AS holders,
groupArrayIf((parent_id, toString(name)), independent = 2 AND parent_id != 0) AS entering,
groupArrayIf(id, independent > 1) AS inner,
groupArrayIf((id, parent_id), independent > 1 AND kind IN (3, 4) AND parent_id != 0) AS leaving,
groupArrayIf((id, toString(name)), kind = 2) AS servers,
groupArrayIf((parent_id, toString(name)), kind = 2 AND independent = 0 AND parent_id != 0) AS below,
groupArrayIf(parent_id, independent = 0 AND $answers) AS answering
