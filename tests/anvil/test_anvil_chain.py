"""The client on a real anvil."""

import pytest

from tests.chains.reading import Reading
from tests.chains.refusing import Refusing
from tests.chains.sending import Sending

pytestmark = pytest.mark.anvil


class TestReading(Reading):
    pass


class TestSending(Sending):
    pass


class TestRefusing(Refusing):
    pass
