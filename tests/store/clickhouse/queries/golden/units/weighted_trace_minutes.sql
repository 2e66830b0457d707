arraySum(
               (pair, before) -> if(pair.1 != before.1 OR before.2 = 0, pair.2, 0),
               arraySort(groupUniqArrayIf((trace_id, weight), units.kind = 0)) AS pairs,
               arrayPopBack(arrayPushFront(pairs, (toFixedString('', 16), toUInt32(0))))
           )
