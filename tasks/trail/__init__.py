"""Proof that the trail was not changed: its seals, and copies of its head outside the database."""
