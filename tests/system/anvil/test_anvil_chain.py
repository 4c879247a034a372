"""The client on a real anvil."""

import pytest

from tests.support.chains.cheating import Cheating
from tests.support.chains.reading import Reading
from tests.support.chains.refusing import Refusing
from tests.support.chains.sending import Sending

pytestmark = pytest.mark.anvil


class TestCheating(Cheating):
    pass


class TestReading(Reading):
    pass


class TestSending(Sending):
    pass


class TestRefusing(Refusing):
    pass
