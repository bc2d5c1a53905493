"""The rules of a review: what counts, whose promise it was, and what to decide. Pure functions over frozen values."""
