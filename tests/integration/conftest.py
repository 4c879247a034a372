"""Everything on a chain and a store inside the process."""

from tests.support.fixtures import cheat as cheat
from tests.support.fixtures import nbc as nbc
from tests.support.fixtures import place as place
