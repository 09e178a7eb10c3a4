"""What a customer is about to buy."""

from dataclasses import dataclass, field

from shop.discounts import discount_rate


@dataclass
class Cart:
    """Items by name, each with its price and how many of it."""

    items: dict = field(default_factory=dict)

    def add(self, name, price, count=1):
        """Add `count` of an item."""
        _, before = self.items.get(name, (price, 0))
        self.items[name] = (price, before + count)

    def total(self):
        """Return what the cart costs, discount taken off."""
        gross = sum(price * count for price, count in self.items.values())
        return gross * (1 - discount_rate(gross))
