"""The one way to hosts on the network: nodes, gateways and Kubo daemons.

Most code needs `session.HttpSession` (every exchange has a total time and a size), `failures.TransportError` (what went
wrong, in words without a secret) and `shown` (an address without what may be a secret in it).
"""

from numerbay_chain.core.network.shown import shown as shown
from numerbay_chain.core.network.shown import shown_store as shown_store
