"""The web: pages that people open from one link, and the door for leads."""
