"""One measure a file. Each one runs against real processes, or says in its first line that it does not."""
