"""The ways into Baton: command line, web pages, the worker that runs attempts, and the clock that moves them."""
