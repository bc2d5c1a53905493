"""Deletion of personal data: at a person's request, and when the agreed time is over."""
