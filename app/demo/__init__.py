"""The demo: a made-up company whose mails and hand-overs a newcomer can watch."""
