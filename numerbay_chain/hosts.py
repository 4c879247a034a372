"""What the name of a host says."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its name (RFC 6761) or number alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
