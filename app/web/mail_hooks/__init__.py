"""Calls of mail providers: what became of an e-mail, each signed as its provider documents it."""
