"""Signing an agreement: the requests to sign, the page behind the link, and the messages about a signature."""
