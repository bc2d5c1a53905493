"""Signing an agreement: who is asked, what the link shows, and who learns of a signature."""
