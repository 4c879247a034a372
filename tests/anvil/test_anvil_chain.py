"""The client on a real anvil."""

import pytest

from tests.chains.cheating import Cheating
from tests.chains.reading import Reading
from tests.chains.refusing import Refusing
from tests.chains.sending import Sending

pytestmark = pytest.mark.anvil


class TestCheating(Cheating):
    pass


class TestReading(Reading):
    pass


class TestSending(Sending):
    pass


class TestRefusing(Refusing):
    pass
