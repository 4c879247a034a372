# ruff: noqa: S104  # nothing is bound
"""What a host's name or number says, however it is spelled."""

from ipaddress import ip_address

import pytest

from numerbay_chain.core.network.hosts import is_loopback, is_public, number

HERE = [
    "localhost", "LOCALHOST", "localhost.", "x.ipfs.localhost", "X.LocalHost.", "localhost.localdomain",
    "127.0.0.1", "127.0.0.1.", "127.9.9.9", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1",
    "017700000001", "0", "0.0.0.0", "0x0", "::1", "[::1]", "::", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1",
    "::ffff:7f00:1", "127。0。0。1", "\uff11\uff12\uff17.0.0.1", "ⓛocalhost",
]  # fmt: skip

ELSEWHERE = [
    "localhost.example", "notlocalhost", "127.0.0.1.example", "10.0.0.1", "8.8.8.8", "128.1", "2130706432x", "",
    "1.2.3.4.5", "256.256.256.256", "0x7f000001.example", "::2", "fe80::1%eth0", "127.0.0.1 8.8.8.8",
]  # fmt: skip

NOT_PUBLIC = [
    "127.0.0.1", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.127.255.255", "168.63.129.16", "192.0.0.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1",
    "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::127.0.0.1", "::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808", "2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::", "2001:0:7f00:1::", "fe80::5efe:808:808",
    "2a00::5efe:a00:1", "2a00::200:5efe:7f00:1", "fd12::5efe:808:808",
]  # fmt: skip

PUBLIC = [
    "8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "2606:4700::1111",
    "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
]  # fmt: skip


@pytest.mark.parametrize("host", HERE)
def test_this_machine_is_known_in_every_spelling(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_what_is_not_this_machine_is_not_taken_for_it(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_of_the_public_internet_is_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_of_the_public_internet_is_known(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("host", "address"),
    [("0xa9fea9fe", "169.254.169.254"), ("10.1", "10.0.0.1"), ("[fe80::1%25eth0]", "fe80::1"), ("010.1", "8.0.0.1")],
)
def test_a_number_is_read_as_the_resolver_reads_it(host: str, address: str) -> None:
    assert number(host) == ip_address(address)


@pytest.mark.parametrize("host", ["example.org", "", "1.2.3.4.5", "08.1", "1e3"])
def test_a_name_is_no_number(host: str) -> None:
    assert number(host) is None
