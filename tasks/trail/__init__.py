"""Proof that nobody changed the trail: its seals, and copies of its head outside the database."""
