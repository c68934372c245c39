"""`python -m benchmarks.chime.people N`: N approved, available experts of one topic, each signed in.

Prints JSON: the hub's audience of the topic, and a session cookie for each expert.
"""

import json
import sys

# First: it sets Django up.
from benchmarks.people import make_experts, make_topic, make_users, signed_in  # isort: split

from django.db import transaction

from sessions_app.matching import topic_audience


@transaction.atomic
def make(number: int) -> dict[str, object]:
    """Write the experts and return what is printed."""
    topic, users = make_topic("Bench"), make_users("expert", number)
    make_experts(users, topic)
    return {"audience": topic_audience(topic.pk), "cookies": [signed_in(user) for user in users]}


if __name__ == "__main__":
    print(json.dumps(make(int(sys.argv[1]))))
