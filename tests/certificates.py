"""Read this machine's certificates once per process: httpx reads them anew for each client, which takes longer than most requests."""

from __future__ import annotations

import ssl
from typing import Any

from httpx import create_ssl_context
from httpx._transports import default


def share_certificates() -> None:
    """Let every httpx client of this process that checks certificates in the usual way share them. No test changes the context."""
    shared = create_ssl_context()

    def context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
        usual = verify is True and cert is None
        return shared if usual else create_ssl_context(verify=verify, cert=cert, trust_env=trust_env)

    # httpx offers no other way to be given a context by default.
    default.create_ssl_context = context  # type: ignore[attr-defined]
