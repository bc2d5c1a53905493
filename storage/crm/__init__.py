"""The CRM, which somebody else runs: one Protocol, one file a vendor."""
