"""How long the stateful test runs: short in the suite, as long as one likes from the command line."""

import os

#: Examples and steps of each in the suite; NUMERBAY_CHAIN_FUZZ_EXAMPLES asks for more.
EXAMPLES = int(os.environ.get("NUMERBAY_CHAIN_FUZZ_EXAMPLES", "100"))
STEPS = 80
