"""What a rule says when it will not do what was asked."""


class Refused(Exception):
    """A rule said no. `sentence` is for the person: what is the matter and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
