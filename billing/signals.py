"""What billing tells outward, each once and after the row it tells of is written.

A signal is a hint: a process that dies between the write and the signal never sends it. Who listens reads the rows too.
Sent with `send_robust`: a listener that fails is logged, and what was charged stays charged.
"""

from django.dispatch import Signal

# payment: Payment, hold: Hold
hold_placed = Signal()
# payment: Payment, hold: Hold. The bank gave a hold back though nobody asked it to.
hold_lapsed = Signal()
# payment: Payment
payment_charged = Signal()
# refund: Refund
payment_refunded = Signal()
# payment: Payment. A charge was given up; the customer and operators must know.
payment_flagged = Signal()
# refund: Refund. The bank did not take (part of) a refund after all.
refund_failed = Signal()
# dispute: Dispute. A customer's bank disputes a charge, or has decided.
dispute_changed = Signal()
# payment: Payment. Asks; each listener answers with a list of billing.evidence.EvidenceLine.
evidence_asked = Signal()
