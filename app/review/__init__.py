"""The review of marketing and sales: counts what happened in a period, and shows it."""
