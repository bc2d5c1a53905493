"""Tries an agreement out on past leads: reads and judges many leads and counts them side by side. Writes nothing."""
