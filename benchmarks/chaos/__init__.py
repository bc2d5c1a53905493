"""Chaos: many leads on a leaping clock, while everything they need is killed, stopped and restarted."""
