-- The number of distinct pairs of minute and trace in `visits`, by the least weight of each.
arraySum(
    (visit, before) -> if((visit.1, visit.2) != (before.1, before.2) OR before.3 = 0, visit.3, 0),
    arraySort(visits) AS sorted_visits,
    arrayPopBack(arrayPushFront(sorted_visits, (toUInt32(0), toUInt64(0), toUInt32(0))))
)
