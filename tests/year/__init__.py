"""A year of a company, played by the driver and judged by an audit that does not use the rules it judges."""
