"""A stand-in for Stripe: what Stripe documents, in front of localstripe. See `tests.peers.stripe_stand_in` for its use.

One process, its state in memory. `server` takes requests, `api` says what answers which, the modules named for Stripe's
things hold their rules, `pages` are the hosted pages, `control` is how a test plays Stripe's other side.
"""
