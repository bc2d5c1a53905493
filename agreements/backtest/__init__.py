"""Rules over many past leads at once: columns instead of single facts."""
