"""`python -m hopps.healthcheck [PATH]`: exit code 0 when the server in this container answers well, 1 when not."""

import http.client
import sys

from hopps import env


def answers(path: str) -> bool:
    """Ask for `path` as the proxy in front would: for a host that is served, over https."""
    host = next(iter(env.words("ALLOWED_HOSTS")), "localhost").lstrip(".").replace("*", "localhost")
    connection = http.client.HTTPConnection("127.0.0.1", env.number("PORT", 8000), timeout=4)
    try:
        connection.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": "https"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers((sys.argv[1:] or ["/healthz"])[0]) else 1)
