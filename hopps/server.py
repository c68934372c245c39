"""`python -m hopps.server`: uvicorn, set up the one way for script/server, the container, the tests and the benchmarks."""

import uvicorn

from hopps import env


def run(application: str = "hopps.asgi:application") -> None:
    """Serve `application` until told to stop.

    Reads from the environment: HOST (default 127.0.0.1), PORT (8000), TRUSTED_PROXIES (addresses, none).
    """
    proxies = env.text("TRUSTED_PROXIES")
    uvicorn.run(
        application,
        host=env.text("HOST", "127.0.0.1"),
        port=env.number("PORT", 8000),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        # One event goes to many sockets: compressing it again for each of them costs more than its few hundred bytes.
        ws_per_message_deflate=False,
        ws_max_size=128 * 1024,
        # The address of the visitor is taken from a header only when it comes from a proxy named here.
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        # hopps.seen writes the line, with the request's id; all logs go by LOGGING.
        access_log=False,
        log_config=None,
        server_header=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    run()
