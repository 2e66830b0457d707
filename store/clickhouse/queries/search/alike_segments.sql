-- Of the documents of a trace what says whether each segment is a unit, and no other document is: see alike_unit_doubts.
-- `odd`: units of which other rows decide; `inner`: spans that name their service, inside of it or entering it; `leaving`: those of
-- them that call, with their parents; `servers`: spans by their ids of which the SERVER spans `below` may be parts, these by their parents.
countIf(independent = $Independent.OF_PARENT OR fetched != $Fetched.NO OR (kind = $Kind.SERVER AND before_name != '') OR $passed_on) AS odd,
countIf(notEmpty(members)) AS embedding,
groupArray((id, toString(name))) AS holders,
groupArrayIf((parent_id, toString(name)), independent = $Independent.OF_SENDER AND parent_id != 0) AS entering,
groupArrayIf(id, independent > $Independent.OF_PARENT) AS inner,
groupArrayIf((id, parent_id), independent > $Independent.OF_PARENT AND kind IN $leaving AND parent_id != 0) AS leaving,
groupArrayIf((id, toString(name)), kind IN $enclosing) AS servers,
groupArrayIf((parent_id, toString(name)), kind = $Kind.SERVER AND independent = $Independent.NO AND parent_id != 0) AS below,
groupArrayIf(parent_id, independent = $Independent.NO AND $answers) AS answering
