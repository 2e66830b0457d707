-- Of the calls of a trace what says whether each counts as it is: see alike_unit_doubts.
countIf(independent = $Independent.OF_PARENT OR name = '') AS odd,
groupArray((id, toString(owner_name))) AS holders,
groupArrayIf((id, document_id, toString(owner_name), start, start + duration, state = $State.IN_PROGRESS), independent > $Independent.OF_PARENT) AS inner
