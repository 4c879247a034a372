"""CIDs, the fixed UnixFS import, and the stores that content is pinned to and read from (docs/protocol.md §3)."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numerbay_chain.ipfs.cid import LEAF_SIZE as LEAF_SIZE
    from numerbay_chain.ipfs.cid import Cid as Cid
    from numerbay_chain.ipfs.stores.base import ContentStore as ContentStore
    from numerbay_chain.ipfs.stores.base import ContentWriter as ContentWriter
    from numerbay_chain.ipfs.stores.embedded import EmbeddedStore as EmbeddedStore
    from numerbay_chain.ipfs.stores.fallback import FallbackStore as FallbackStore
    from numerbay_chain.ipfs.stores.fallback import open_store as open_store
    from numerbay_chain.ipfs.stores.gateway import GatewayStore as GatewayStore
    from numerbay_chain.ipfs.stores.kubo import KuboStore as KuboStore
    from numerbay_chain.ipfs.stores.patience import PatientStore as PatientStore
    from numerbay_chain.ipfs.unixfs import Importer as Importer
    from numerbay_chain.ipfs.unixfs import Root as Root
    from numerbay_chain.ipfs.unixfs import read_file as read_file

# The HTTP stores pull in libraries that take a fifth of a second to import: each name loads its module when it is used.
_MODULES = {
    "LEAF_SIZE": "cid",
    "Cid": "cid",
    "ContentStore": "stores.base",
    "ContentWriter": "stores.base",
    "EmbeddedStore": "stores.embedded",
    "FallbackStore": "stores.fallback",
    "GatewayStore": "stores.gateway",
    "Importer": "unixfs",
    "KuboStore": "stores.kubo",
    "PatientStore": "stores.patience",
    "Root": "unixfs",
    "open_store": "stores.fallback",
    "read_file": "unixfs",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
