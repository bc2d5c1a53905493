"""Deleting personal data: at a person's wish, and when the agreed time is over."""
