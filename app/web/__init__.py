"""The web: pages that people open from a link, and the intake API for leads."""
