from tests.people import alice, bob, erin, eve, mona, nora, olga, sam, topic

__all__ = ["alice", "bob", "erin", "eve", "mona", "nora", "olga", "sam", "topic"]
