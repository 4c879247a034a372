"""A buyer's key: made on this machine, registered on chain once."""

from pathlib import Path

from numerbay_chain.chain.encoding import calls
from numerbay_chain.core.files.atomic import expanded
from numerbay_chain.core.home import keyfile
from numerbay_chain.core.progress import Note
from numerbay_chain.orders.results import RegisteredKey
from numerbay_chain.protocol.events import event_of
from numerbay_chain.session import Session


def register_key(session: Session, path: str | Path | None = None) -> RegisteredKey:
    """Register the X25519 key in a key file; make the file first if there is none (0600, never overwritten).

    `path` None: the setting `key`, else the account's own file in the home folder. Sends nothing if that key is the
    account's newest already.
    """
    chosen = expanded(path) if path is not None else session.key_path or default_path(session)
    created = not chosen.exists()
    pair = keyfile.generate() if created else keyfile.load(chosen)
    if created and not session.dry_run:
        # who can't register it is left no key file
        session.sending.sender.plan(calls.register(public_key=pair.public_key))
        keyfile.save(pair, chosen)  # on disk before anybody can seal to it
        said = f"a key file was made: {chosen}; back it up, what you buy is sealed to it"
        session.notify(Note(said, "key-file-made"))
    label = "register-key"
    found = session.sending.resume(label)
    current = session.contract.current_key(session.account)
    if current is not None and current[1] == pair.public_key:
        receipt = found.receipt if found else None
        return RegisteredKey(session.account, current[0], pair.public_key, str(chosen), created, receipt)
    receipt = session.sending.send(label, calls.register(public_key=pair.public_key)).receipt
    epoch = event_of(receipt, "KeyRegistered")["epoch"]
    return RegisteredKey(session.account, epoch, pair.public_key, str(chosen), created, receipt)


def default_path(session: Session) -> Path:
    """The account's own key file in the home folder."""
    return session.home.folder("keys") / f"{session.account}.json"
