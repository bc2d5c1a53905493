"""How Baton sends messages: one file a channel, rendering, signed links. Nothing here uses a database."""
