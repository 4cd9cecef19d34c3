"""The console's process: TLS, one connection to the node, uvicorn."""

import os
import ssl
from pathlib import Path

import uvicorn

from keys.pki.names import split_address
from node.client.platform import Platform
from node.config import Config, Home
from node.console.app import make_app
from node.credentials.tls_identity import load_tls_identity
from node.errors import ConfigError

_BACKLOG = 256
_KIB = 1024


def serve_console(home: Path, listen: str, node_address: str | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raises ConfigError, KeyringError, PreconditionError."""
    config = Home.find(home).load()
    with Platform.open(home, node_address) as platform:
        make_server(config, platform, listen).run()


def make_server(config: Config, platform: Platform, listen: str) -> uvicorn.Server:
    """The server of a console that asks the node over `platform`. Raises ConfigError."""
    host, port = split_address(listen)
    settings = uvicorn.Config(
        make_app(platform, config.console.upload_kib * _KIB),
        host=host.strip("[]"),
        port=port,
        log_level="warning",
        access_log=False,  # addresses are no secret here, but the node's log has every call already
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        limit_concurrency=_BACKLOG,
        timeout_keep_alive=20,
        h11_max_incomplete_event_size=32 * _KIB,
    )
    settings.load()
    settings.ssl = tls_context(config)
    return uvicorn.Server(settings)


def tls_context(config: Config) -> ssl.SSLContext:
    """TLS 1.2 and 1.3 with the console's own certificate, or that of the node. Raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    given, key = config.console.certificate, config.console.key
    try:
        if given is not None and key is not None:
            context.load_cert_chain(given, key)
        else:
            _load_own(context, config)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"[console] certificate or key: {error.strerror or 'not PEM, or they do not fit'}",
            "give a certificate and its key, both PEM, the key without a passphrase",
        ) from None
    return context


def _load_own(context: ssl.SSLContext, config: Config) -> None:
    """The node's key is sealed in its key store, and OpenSSL reads files only: one in memory."""
    identity = load_tls_identity(config)
    file = os.memfd_create("console", os.MFD_CLOEXEC)
    try:
        os.write(file, identity.key + b"\n" + identity.certificate)
        context.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)
