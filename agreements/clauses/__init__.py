"""The clauses of an agreement, as frozen values: one file a part of the contract."""
