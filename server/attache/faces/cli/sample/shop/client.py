"""Fetch prices from the warehouse, which is not always awake."""

import time
import urllib.request

ATTEMPTS = 3
PAUSE_SECONDS = 0.5


class WarehouseAsleep(Exception):
    """The warehouse did not answer."""


def fetch_price(url, opener=urllib.request.urlopen):
    """Return the price at `url` as text; failed requests are retried, each time after a longer pause."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with opener(url) as response:
                return response.read().decode()
        except OSError as error:
            if attempt == ATTEMPTS:
                raise WarehouseAsleep(url) from error
            time.sleep(PAUSE_SECONDS * attempt)
