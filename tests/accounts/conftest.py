from tests.people import alice, bob, erin, eve, olga, topic

__all__ = ["alice", "bob", "erin", "eve", "olga", "topic"]
