"""The marketing automation, which somebody else runs: one Protocol, one file for each way to tell it."""
