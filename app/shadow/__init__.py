"""Reads the past of a live CRM, so that it can be audited as an export is. Sends nothing, and writes nothing to the CRM."""
