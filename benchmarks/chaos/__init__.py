"""Chaos: run many leads on a leaping clock while every part that they need is killed, stopped and restarted."""
