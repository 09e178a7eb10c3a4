"""Which addresses are of the internet, and which of this machine, its network, or a cloud's inside."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

Address = IPv4Address | IPv6Address


def public(address: Address) -> bool:
    """Return whether an address is one of the internet, not of this machine, its network, or a cloud's inside."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_global and not (mapped or address).is_multicast
