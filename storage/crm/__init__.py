"""Someone else's storage: one Protocol, one file a vendor."""
