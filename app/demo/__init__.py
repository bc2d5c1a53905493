"""The demo: a newcomer watches the e-mails and handoffs of an invented company."""
