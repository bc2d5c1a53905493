"""CSV files in, leads and bad rows out."""
