"""Giving back what is held for a session that came to nothing."""

import logging
from uuid import UUID

from billing.gateways.base import GatewayError
from billing.release import release

logger = logging.getLogger(__name__)


def give_back(session_id: UUID) -> None:
    """Release everything held for a session; where the processor does not do it now, the sweep does later.

    The session is over either way, so nobody is told of an error they can do nothing about. Safe to call again.
    """
    try:
        release(reference=session_id)
    except GatewayError:
        logger.exception("What is held for session %s is given back later", session_id)
