"""Keeping the trail provable: sealing it, and copies of its head outside the database."""
