"""The demo's inbox: a mail server that delivers nothing, and pages that show what it received."""
