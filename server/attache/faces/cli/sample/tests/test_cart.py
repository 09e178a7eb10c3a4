"""The cart adds up."""

import unittest

from shop.cart import Cart


class CartTest(unittest.TestCase):
    def test_total(self):
        cart = Cart()
        cart.add("tea", 4.5, 2)
        self.assertEqual(cart.total(), 9.0)

    def test_discount(self):
        cart = Cart()
        cart.add("chair", 100)
        self.assertEqual(cart.total(), 95.0)


if __name__ == "__main__":
    unittest.main()
