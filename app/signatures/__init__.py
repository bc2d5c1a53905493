"""Signatures of calls from other systems: webhooks of intake doors and of the CRM, and calls of mail providers."""
