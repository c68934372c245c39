"""Which test process takes which file next."""

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# More calls between two real browsers at a time than this, and two cores no longer carry them as a person's computer does.
WITH_BROWSERS = 2


class FromBothEnds(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Files stay whole. So many processes begin with the browsers' files, which come first, the others from the end.

    Browsers mostly wait, for pictures, clocks and each other: what the cores have left meanwhile is used by the others.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self.nodes.index(node) >= WITH_BROWSERS:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)
