-- A problem by its id.
SELECT id, since, ended, updated, value FROM problems FINAL WHERE id = {id:String}
