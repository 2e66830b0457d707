-- store.model.settle_slot: 54 bits of a version say when its row arrived. Lambda's segments are joined afterwards.
toUInt64(intDiv(greatest(start, toInt64(bitAnd(ver, 18014398509481983))), 10000000) + if(type = 'AWS::Lambda', 3, 0))
