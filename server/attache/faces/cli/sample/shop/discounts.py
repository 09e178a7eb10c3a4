"""Who pays less."""

import json

STEPS = ((500, 0.10), (100, 0.05))


def discount_rate(gross):
    """Return the share that is taken off an order of this size."""
    best = None
    for threshold, rate in STEPS:
        if gross >= threshold:
            return rate
    return 0
