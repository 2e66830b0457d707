active AND rows > 0 AND database = currentDatabase() AND table IN {tables:Array(String)}
