"""Reads CSV files and imports their leads; reports bad rows."""
