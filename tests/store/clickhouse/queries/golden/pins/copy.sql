INSERT INTO <staging> (<columns>)
SELECT <values> FROM <table> WHERE <condition>
