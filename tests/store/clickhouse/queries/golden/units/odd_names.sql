SELECT each.1 AS minute, each.2 AS account, each.3 AS name
FROM (SELECT arrayJoin({names:Array(Tuple(UInt32, String, String))}) AS each)
