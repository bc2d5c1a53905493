"""Agreements: write, read, try out, sign, put in force. One file for each of these."""
