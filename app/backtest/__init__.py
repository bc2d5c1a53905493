"""Trying an agreement out on past leads: many are read, judged and counted side by side. Nothing is written."""
