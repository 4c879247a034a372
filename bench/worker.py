"""One long job in a process of its own, so that its peak memory is its own: `python bench/worker.py idle|seal|open …`.

Prints one JSON object: `seconds`, `rss` (bytes, the process's peak), and what the next job needs to know.
"""

import json
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.artifacts.seal import seal
from numerbay_chain.artifacts.unseal import unseal
from numerbay_chain.crypto.content_key import Context, derive_content_key
from numerbay_chain.ipfs import EmbeddedStore

SECRET = bytes(32)  # nothing is hidden here


def peak_memory() -> int:
    """Bytes. `ru_maxrss` starts at what the parent process had; Linux also keeps a mark of this program's alone."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(job: str, *arguments: str) -> None:
    result: dict[str, object] = {}
    start = time.perf_counter()
    if job == "seal":
        source, store = arguments
        sealed = seal(source, EmbeddedStore(store), SECRET, Context.offline())
        result = {"manifest": sealed.manifest.encode().hex(), "size": sealed.size}
    elif job == "open":
        encoded, store, target = arguments
        manifest = Manifest.decode(bytes.fromhex(encoded))
        key = derive_content_key(SECRET, manifest.key_salt, Context.offline())
        opened = unseal(manifest, key, EmbeddedStore(store), Path(target))
        result = {"sha256": opened.sha256.hex(), "size": opened.size}
    result["seconds"] = time.perf_counter() - start
    result["rss"] = peak_memory()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
