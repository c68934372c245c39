"""Whether every board heard what it was to hear, once, and nothing else."""

from collections.abc import Collection, Iterator

from benchmarks.soak.record import Board, Closed, Journey, Opened, Record


def board_findings(record: Record) -> Iterator[str | None]:
    """Look at each board and request: chimed once where it was to be, never where it was not, and once taken off again.

    A board is to be chimed while its expert is available, in no session, and helps with the topic. Where that changed in
    the very moment (the expert pressed a button, and no state had come yet), both are right; twice never is.
    """
    heard = {id(board): _Heard(board) for board in record.boards}
    for journey in record.journeys:
        told = _told(journey, heard.values())
        for board in record.boards:
            yield _of_board(journey, board, heard[id(board)], told)
    known = {journey.session for journey in record.journeys}
    for one in heard.values():
        for request in {*one.opened, *one.closed} - known:
            yield f"the board of {one.board.expert} heard of request {request}, which nobody made"


class _Heard:
    """When a board heard of each request."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.opened: dict[str, list[int]] = {}
        self.closed: dict[str, list[int]] = {}
        self.shown: dict[str, int] = {}
        """When (place in the news) it was first shown a request, by chime or with its state."""
        for place, one in enumerate(board.news):
            match one:
                case Opened(request=request):
                    self.opened.setdefault(request, []).append(place)
                    self.shown.setdefault(request, place)
                case Closed(request=request):
                    self.closed.setdefault(request, []).append(place)
                case _:
                    for request in one.requests:
                        self.shown.setdefault(request, place)

    def last(self, places: dict[str, list[int]], request: str) -> float:
        return max((self.board.news[place].at for place in places.get(request, ())), default=0.0)


def _told(journey: Journey, heard: Collection[_Heard]) -> tuple[float, float]:
    """Return when the last board heard that the request is there, and that it is gone; at least when that was answered."""
    opened = max((one.last(one.opened, journey.session) for one in heard), default=0.0)
    closed = max((one.last(one.closed, journey.session) for one in heard), default=0.0)
    answered = journey.closed.answered if journey.closed else 0.0
    return max(opened, journey.asked.answered), max(closed, answered)


def _of_board(journey: Journey, board: Board, heard: _Heard, told: tuple[float, float]) -> str | None:
    request, who = journey.session, f"the board of {board.expert}"
    opened, closed = heard.opened.get(request, []), heard.closed.get(request, [])
    if len(opened) > 1:
        return f"{who} was chimed {len(opened)} times for request {request}"
    if len(closed) > 1:
        return f"{who} was told {len(closed)} times that request {request} is gone"
    suits = journey.topic in board.topics
    to_hear = board.hears_throughout(journey.asked.sent, told[0]) if suits else False
    if to_hear is True and not opened:
        return f"{who} was not chimed for request {request}"
    if to_hear is False and opened:
        return f"{who} was chimed for request {request}, which is not for it"
    if journey.closed is None or request not in heard.shown:
        return None
    if closed and opened and closed[0] < opened[0]:
        return f"{who} was chimed for request {request} after it was gone"
    if board.hears_throughout(journey.closed.sent, told[1]) is True and not closed:
        return f"{who} was not told that request {request} is gone"
    return None


def stale_findings(record: Record) -> Iterator[str | None]:
    """Follow each board through its news as the page does: what it shows at the end must be open."""
    over = {journey.session for journey in record.journeys if journey.closed is not None}
    for board in record.boards:
        shows: set[str] = set()
        for one in board.news:
            match one:
                case Opened(request=request):
                    shows.add(request)
                case Closed(request=request):
                    shows.discard(request)
                case _:
                    shows = set(one.requests)
        stale = shows & over
        yield f"the board of {board.expert} still shows {', '.join(sorted(stale))}" if stale else None
