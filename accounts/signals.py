"""What accounts tells upward, each after the row it tells of is written.

A signal is a hint, as billing's are: a process that dies between the write and the signal never sends it. Who listens
reads the rows too, and the sweep finds what was missed. Sent with `send_robust`: a listener that fails is logged, and the
person stays suspended or blocked.
"""

from django.dispatch import Signal

# block: Block
person_blocked = Signal()
# by: User, person: User. The block of `by` is gone; `person` may still have one of theirs.
person_unblocked = Signal()
# suspension: Suspension
person_suspended = Signal()
