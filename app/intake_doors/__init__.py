"""Intake doors: one map file a source says how its payloads are signed, and what they mean."""
