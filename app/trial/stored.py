"""Temporary."""

read_stored = None
