"""What the name or the number of a host says: this machine, a network of one's own, or the public internet."""

import re
import socket
import unicodedata
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

# What the system's resolver takes for an IPv4 address (inet_aton): one to four numbers, decimal, octal or hexadecimal.
_NUMBERS = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}", re.ASCII)
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})  # IDNA's other full stops

_TRANSLATORS = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""IPv6 networks whose addresses are an IPv4 address: NAT64 (RFC 6052) and the old IPv4-compatible form."""
_ISATAP = 0x5EFE
_NOT_PUBLIC = (
    ip_network("100.64.0.0/10"),  # shared by operators (RFC 6598)
    ip_network("168.63.129.16/32"),  # counts as public, but only the machines of a cloud (Azure) reach it
    ip_network("64:ff9b:1::/48"),  # NAT64 of one's own network (RFC 8215)
    ip_network("fec0::/10"),  # site-local, before there were unique local ones
)


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine, by its name (RFC 6761) or number alone, however it is spelled.

    The unspecified address counts: who connects to 0.0.0.0 connects to this machine.
    """
    name = plain(host)
    if name == "localhost" or name.endswith(".localhost") or name == "localhost.localdomain":
        return True
    address = number(name)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address is not None and (address.is_loopback or address.is_unspecified)


def is_inside(host: str) -> bool:
    """Return whether the host's own spelling leads into this machine or a network that is not public. A name may still
    do so: see where it leads."""
    address = number(host)
    return is_loopback(host) or (address is not None and not is_public(address))


def plain(host: str) -> str:
    """Return the host as the resolver sees it: lower case, without brackets and the root's dot."""
    name = unicodedata.normalize("NFKC", host.translate(_DOTS)).lower()
    return name.removeprefix("[").removesuffix("]").rstrip(".")


def number(host: str) -> Address | None:
    """Return the address that the host spells out, in any form that the resolver takes; None for a name."""
    text = plain(host).partition("%")[0]
    try:
        return ip_address(text)
    except ValueError:
        pass
    if not _NUMBERS.fullmatch(text):
        return None
    try:
        return IPv4Address(socket.inet_aton(text))
    except (OSError, ValueError):
        return None


def is_public(address: Address) -> bool:
    """Return whether the address is one of the public internet, and so is each that is written inside of it.

    False for loopback, private, link-local, shared, multicast, reserved and unspecified ones.
    """
    carried = _carried(address)
    if carried:  # by its form it counts as reserved: the address inside decides
        return all(is_public(one) for one in carried)
    if isinstance(address, IPv6Address) and int(address) >> 32 & 0xFDFF_FFFF == _ISATAP:
        inside = IPv4Address(int(address) & 0xFFFF_FFFF)
        return _is_public(address) and _is_public(inside)
    return _is_public(address)


def _is_public(address: Address) -> bool:
    if address.is_multicast or address.is_reserved or address.is_unspecified or not address.is_global:
        return False
    return not any(address in network for network in _NOT_PUBLIC if network.version == address.version)


def _carried(address: Address) -> list[IPv4Address]:
    """The IPv4 addresses at which packets to an IPv6 address end."""
    if isinstance(address, IPv4Address):
        return []
    found = [one for one in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())) if one is not None]
    if any(address in network for network in _TRANSLATORS):
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return found
