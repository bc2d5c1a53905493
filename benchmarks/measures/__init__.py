"""One measure a file. Measures with a letter need a stack of processes or a PostgreSQL server; the others need neither."""
