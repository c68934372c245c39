"""What carries the hub's envelopes between server processes: Redis's pub/sub, on a connection of our own (decision 0021).

A client that connects again by itself hides that messages were lost meanwhile. This one never does: a connection that is
lost, or that does not answer, ends `listen`, and whoever listened knows that it may have missed something.
"""

from collections.abc import AsyncIterator

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

CHANNEL = "hopps.hub"
# Redis that takes longer to answer counts as out of reach, in seconds.
ANSWER_SECONDS = 2.0
# Nothing came for so long: is the line still there?
QUIET_SECONDS = 3.0


class LayerLost(Exception):
    """Redis is out of reach, or was for a moment. The message says why."""


class RedisLayer:
    """One process's two lines to Redis: one to listen on, one to publish by."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool.from_url(
            url,
            protocol=2,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._client = Redis(connection_pool=self._pool)

    async def close(self) -> None:
        """Let go of the line to publish by. `listen` lets go of its own."""
        await self._client.aclose()
        await self._pool.disconnect()

    async def publish(self, data: bytes) -> None:
        """Send `data` to every process that listens.

        Raises:
            LayerLost: it may have been sent, or not. It is not tried again: nothing must arrive twice.
        """
        try:
            await self._client.publish(CHANNEL, data)
        except Exception as problem:
            # Also what its makers did not think of: who publishes must own up, or nobody hears of it.
            raise LayerLost(_reason(problem)) from problem

    async def listen(self) -> AsyncIterator[bytes | None]:
        """Yield what is published: first None, once nothing is missed any more, then each message.

        Raises:
            LayerLost: the line is gone; what is published from then on is missed until the next None.
        """
        connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()
            await connection.send_command("SUBSCRIBE", CHANNEL)
            asked = True  # Redis is to say something: that we are subscribed, or alive
            while True:
                answer = await connection.read_response(timeout=ANSWER_SECONDS if asked else QUIET_SECONDS)
                if answer is None and asked:
                    raise LayerLost("It does not answer.")
                if answer is None:
                    await connection.send_command("PING")
                asked = answer is None
                if answer and answer[0] == b"subscribe":
                    yield None
                elif answer and answer[0] == b"message":
                    yield answer[2]
        except (RedisError, OSError, TimeoutError) as problem:
            raise LayerLost(_reason(problem)) from problem
        finally:
            await connection.disconnect(nowait=True)


def _reason(problem: BaseException) -> str:
    return str(problem) or type(problem).__name__
