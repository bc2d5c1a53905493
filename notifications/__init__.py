"""How Baton speaks: one file a channel, rendering, signed links. Knows people and letters, no database."""
