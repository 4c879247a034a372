"""Writes the vectors: one JSON file per format. `python -m tests.support.vectors.generate`

`valid` are inputs with what comes out; `invalid` have one failure each, with the class of the error and what is wrong.
Fields that an invalid one does not give are those of `base`, where there is one.
Everything is in hex unless it says otherwise. All of it is computed by `reference.py` and the judge's
(`tests/contracts/libraries/reference.py`), none of it by the package.
"""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nacl import bindings

from tests.support.vectors import disputes
from tests.support.vectors import reference as ref
from tests.support.vectors.material import (
    BUYERS,
    EPHEMERAL,
    MARKETPLACE,
    PLACE,
    SALT,
    SECRET,
    Vectors,
    failure,
    flip,
    key_of,
)

FOLDER = Path(__file__).parent


def as_text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: as_text(inner) for name, inner in value.items()}
    return [as_text(inner) for inner in value] if isinstance(value, list | tuple) else value


def content_key() -> Vectors:
    places = [
        PLACE,
        {**PLACE, "round": 3},
        {**PLACE, "order": 3 << 32 | 7},
        {**PLACE, "chain_id": 2**256 - 1, "listing": 2**32 - 1, "round": 2**64 - 1, "order": 2**64 - 1},
        {"chain_id": 0, "marketplace": bytes(20), "listing": 0, "round": 0, "order": 0},
    ]
    valid = []
    for place in places:
        info = ref.key_info(**place)
        k = ref.derive(SECRET, SALT, info)
        key = k.to_bytes(32, "big")
        valid.append(
            {
                "seller_secret": SECRET,
                "key_salt": SALT,
                **{name: str(value) if isinstance(value, int) else value for name, value in place.items()},
                "info": info,
                "key": key,
                "commitment": ref.normalise(k)[1].to_bytes(32, "big"),
                "stream_key": ref.subkey("stream", key),
                "salt_key": ref.subkey("salt", key),
                "details_key": ref.subkey("details", key),
            }
        )
    key, commitment = valid[0]["key"], valid[0]["commitment"]
    negative = (ref.N - int.from_bytes(key, "big")).to_bytes(32, "big")
    scalars = [{"scalar": scalar, "commitment": commitment, "key": key} for scalar in (key, negative)]
    invalid = [
        failure("zero", "DecryptionError", scalar=bytes(32), commitment=commitment),
        failure("the group's order", "DecryptionError", scalar=ref.N.to_bytes(32, "big"), commitment=commitment),
        failure("above the group's order", "DecryptionError", scalar=b"\xff" * 32, commitment=commitment),
        failure("31 bytes", "DecryptionError", scalar=key[1:], commitment=commitment),
        failure("33 bytes", "DecryptionError", scalar=b"\0" + key, commitment=commitment),
        failure("one bit off the committed key", "DecryptionError", scalar=flip(key, 31), commitment=commitment),
        failure("another commitment", "DecryptionError", scalar=key, commitment=flip(commitment, 0)),
    ]
    return {"about": "§3 content key; ids in decimal", "valid": valid, "scalars": scalars, "invalid": invalid}


def container() -> Vectors:
    key = key_of()
    valid = []
    for size in (0, 1, 63, 64, 65, 4095, 4096, 4097, 12_289):
        ciphertext, commitments, root = ref.container(key, ref.pattern(size))
        valid.append(
            {"size": size, "key": key, "ciphertext": ciphertext, "commitments": commitments, "data_root": root}
        )
    ciphertext, commitments, _ = ref.container(key, ref.pattern(8_200))
    swapped = ciphertext[4096:8192] + ciphertext[:4096] + ciphertext[8192:]
    good = {"size": 8_200, "key": key, "ciphertext": ciphertext, "commitments": commitments}
    wrong = "WrongContentError"
    invalid = [
        failure("a bit of chunk 0", wrong, index=0, ciphertext=flip(ciphertext, 0)),
        failure("a bit of chunk 1", wrong, index=1, ciphertext=flip(ciphertext, 8191, 128)),
        failure("a bit of the last chunk", wrong, index=2, ciphertext=flip(ciphertext, 8199)),
        failure("a bit of a commitment", wrong, index=1, commitments=flip(commitments, 63)),
        failure("two chunks swapped", wrong, index=0, ciphertext=swapped),
        failure("another key", wrong, index=0, key=key_of(round=9)),
        failure("ciphertext one byte short", "ContentError", ciphertext=ciphertext[:-1]),
        failure("ciphertext a chunk short", "ContentError", ciphertext=ciphertext[:8192]),
        failure("no ciphertext", "ContentError", ciphertext=b""),
        failure("ciphertext one byte long", "ContentError", ciphertext=ciphertext + b"\0"),
        failure("commitments one byte short", "ContentError", commitments=commitments[:-1]),
        failure("commitments one short", "ContentError", commitments=commitments[:-32]),
        failure("commitments one byte long", "ContentError", commitments=commitments + b"\0"),
        failure("commitments one long", "ContentError", commitments=commitments + bytes(32)),
    ]
    about = "§3 container; byte i of the plaintext is i mod 251"
    return {"about": about, "valid": valid, "base": good, "invalid": invalid}


def merkle() -> Vectors:
    valid = []
    for count in (1, 2, 3, 4, 5, 6, 7, 8, 13):
        leaves = [bytes([n]) * (n % 3) for n in range(count)]
        paths = [ref.merkle_path(leaves, index) for index in range(count)]
        valid.append({"leaves": leaves, "root": ref.merkle_root(leaves), "paths": paths})
    leaves = [bytes([n]) for n in range(5)]
    path = ref.merkle_path(leaves, 2)
    good = {"leaf": leaves[2], "index": 2, "count": 5, "path": path}
    invalid = [
        failure("a step short", "ContentError", path=path[:-1]),
        failure("a step long", "ContentError", path=[*path, bytes(32)]),
        failure("index at the count", "ContentError", index=5),
        failure("an empty tree", "ContentError", leaf=b"", index=0, count=0, path=[]),
        failure("a path for the last leaf, which has one step", "ContentError", index=4),
    ]
    return {
        "about": "RFC 6962 trees: leaf data, root, audit paths from the leaf up",
        "valid": valid,
        "base": good,
        "invalid": invalid,
    }


def envelopes() -> Vectors:
    key, commitment = key_of(), ref.normalise(int.from_bytes(key_of(), "big"))[1].to_bytes(32, "big")
    place = {"chain_id": 1, "marketplace": MARKETPLACE, "round": 2}
    common = {**place, "commitment": commitment, "key": key}
    valid = []
    for order, private in zip((3 << 32, 3 << 32 | 1, 2**64 - 1), BUYERS, strict=True):
        public = bindings.crypto_scalarmult_base(private)
        record = ref.envelope(key, order=order, public_key=public, ephemeral=EPHEMERAL, **place)
        valid.append({**common, "order": str(order), "private_key": private, "public_key": public, "record": record})
    good = {name: valid[0][name] for name in (*common, "order", "private_key", "record")} | {"listing": 3}
    order, public = 3 << 32, valid[0]["public_key"]
    record = valid[0]["record"]

    def sealed(**changed: Any) -> bytes:
        arguments = {"k": key, "order": order, "public_key": public, "ephemeral": EPHEMERAL, **place}
        return ref.envelope(**arguments | changed)

    other_key = key_of(round=9)
    renamed = (order + 1).to_bytes(8, "big") + record[8:]
    invalid = [
        failure("87 bytes", "ContentError", record=record[:-1]),
        failure("89 bytes", "ContentError", record=record + b"\0"),
        failure("another order's record", "ContentError", record=sealed(order=order + 1)),
        failure("renamed to another order", "DecryptionError", record=renamed, order=str(order + 1)),
        failure("a bit of the ephemeral key", "DecryptionError", record=flip(record, 8)),
        failure("a bit of the tag", "DecryptionError", record=flip(record, 40)),
        failure("a bit of the masked key", "DecryptionError", record=flip(record, 87)),
        failure("another buyer's key", "DecryptionError", private_key=BUYERS[1]),
        failure("another content key", "DecryptionError", record=sealed(k=other_key)),
        failure("made for another round", "DecryptionError", record=sealed(round=3)),
        failure("made for another chain", "DecryptionError", record=sealed(chain_id=2)),
        failure("made for another marketplace", "DecryptionError", record=sealed(marketplace=bytes(20))),
    ]
    return {
        "about": "§3 envelopes; ids in decimal",
        "ephemeral": EPHEMERAL,
        "valid": valid,
        "base": good,
        "invalid": invalid,
    }


def details() -> Vectors:
    key = key_of()
    plain = {"name": "predictions.csv", "media_type": "text/csv", "size": 1234, "note": ""}
    odd = {"name": "../übung\u202e\n.csv", "media_type": "", "size": 0, "note": "line 1\nline 2"}
    known = [{"key": key, "fields": fields, "blob": ref.details(key, fields)} for fields in (plain, odd)]
    more = {**plain, "later": [1, 2]}
    known.append({"key": key, "fields": plain, "blob": ref.details(key, more), "ignored": "fields of later versions"})
    blob = known[0]["blob"]

    def without(name: str) -> Vectors:
        return {field: value for field, value in plain.items() if field != name}

    texts = {
        "not JSON": b"{",
        "not UTF-8": b'{"name":"\xff"}',
        "no object": b"[]",
        "no name": ref.canonical(without("name")),
        "no size": ref.canonical(without("size")),
        "a name that is no text": ref.canonical({**plain, "name": 1}),
        "a negative size": ref.canonical({**plain, "size": -1}),
        "a size that is no integer": ref.canonical({**plain, "size": 1.5}),
        "a size that is a truth value": ref.canonical({**plain, "size": True}),
        "nested without end": b"[" * 5_000,
    }
    invalid = [
        failure("a bit of the tag", "DecryptionError", key=key, blob=flip(blob, 0)),
        failure("a bit of the text", "DecryptionError", key=key, blob=flip(blob, 16)),
        failure("a byte short", "DecryptionError", key=key, blob=blob[:-1]),
        failure("empty", "DecryptionError", key=key, blob=b""),
        failure("another key", "DecryptionError", key=key_of(round=9), blob=blob),
        *(failure(why, "ContentError", key=key, blob=ref.details(key, text)) for why, text in texts.items()),
    ]
    return {"about": "§3 details: NaCl secretbox of JSON", "valid": known, "invalid": invalid}


def manifest() -> Vectors:
    key = key_of()
    fields = {
        "version": 1,
        "key_commitment": ref.normalise(int.from_bytes(key, "big"))[1],
        "key_salt": SALT,
        "data_root": ref.container(key, ref.pattern(5000))[2],
        "size": 5000,
        "ciphertext_digest": ref.H(ref.container(key, ref.pattern(5000))[0]),
        "commitments_digest": ref.H(ref.container(key, ref.pattern(5000))[1]),
        "details_digest": ref.H(b"details"),
        "custody": bytes(32),
    }

    def encode(**changed: Any) -> bytes:
        values = (fields | changed).values()
        return b"".join(value.to_bytes(32, "big") if isinstance(value, int) else value for value in values)

    sizes = [5000, 0, 1, 2**20, 2**20 + 1, 2**38 - 64]
    valid = [
        {
            **{
                name: value.to_bytes(32, "big") if name == "key_commitment" else value for name, value in fields.items()
            },
            "size": size,
            "encoded": encode(size=size),
            "content_hash": ref.H(encode(size=size)),
        }
        for size in sizes
    ]
    off_curve = next(x for x in range(1, 100) if pow(x**3 + 7, (ref.P - 1) // 2, ref.P) != 1)
    above_order = next(x for x in range(ref.N, ref.P) if pow(x**3 + 7, (ref.P - 1) // 2, ref.P) == 1)
    changed: dict[str, bytes] = {
        "empty": b"",
        "a byte short": encode()[:-1],
        "a byte long": encode() + b"\0",
        "version 0": encode(version=0),
        "version 2": encode(version=2),
        "version 1 in the upper bytes": encode(version=1 << 128 | 1),
        "a byte too large": encode(size=2**38 - 63),
        "size wraps 64 bits": encode(size=2**64 + 5000),
        "commitment zero": encode(key_commitment=0),
        "commitment off the curve": encode(key_commitment=off_curve),
        "commitment at or above the group's order": encode(key_commitment=above_order),
        "commitment above the field": encode(key_commitment=ref.P + 1),
    }
    invalid = [failure(why, "ContentError", encoded=encoded) for why, encoded in changed.items()]
    return {"about": "§2 content hash: the manifest, nine ABI words", "valid": valid, "invalid": invalid}


def keyfile() -> Vectors:
    private = BUYERS[0]
    public = bindings.crypto_scalarmult_base(private)
    message = b"id,prediction\nn0001,0.5\n"
    b64 = {name: base64.b64encode(key).decode() for name, key in (("public_key", public), ("private_key", private))}
    other = base64.b64encode(BUYERS[1]).decode()
    files = {
        "the halves do not belong together": json.dumps(b64 | {"private_key": other}),
        "no private key": json.dumps({"public_key": b64["public_key"]}),
        "no public key": json.dumps({"private_key": b64["private_key"]}),
        "a private key of 31 bytes": json.dumps(b64 | {"private_key": base64.b64encode(private[1:]).decode()}),
        "URL-safe base64": json.dumps(b64 | {"private_key": base64.urlsafe_b64encode(b"\xff" * 32).decode()}),
        "a number for a key": json.dumps(b64 | {"private_key": 1}),
        "a list": json.dumps([b64]),
        "no JSON": "private_key: 1",
        "empty": "",
    }
    prime = 2**255 - 19
    order_8 = [
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    ]
    small = [value | high << 255 for value in (0, 1, *order_8, prime - 1, prime, prime + 1) for high in (0, 1)]
    return {
        "about": "NumerBay's numerbay.json and artifact (libsodium's crypto_box_seal); keys in base64",
        "valid": [{**b64, "message": message, "sealed": ref.sealed_box(message, public, EPHEMERAL)}],
        "invalid": [failure(why, "AccountError", text=text) for why, text in files.items()],
        "small_order": [value.to_bytes(32, "little") for value in small],
    }


def json_text() -> Vectors:
    deep, digits = 32, 80
    accepted: dict[str, Any] = {
        "an object": (b'{"version":1,"name":"a"}', {"version": 1, "name": "a"}),
        "white space around and between": (b' \t\r\n{ "a" : [ 1 , 2 ] }\n', {"a": [1, 2]}),
        "all the way down": (b"[" * deep + b"]" * deep, json.loads("[" * deep + "]" * deep)),
        "brackets in a text": (b'"' + b"[" * 100 + b'"', "[" * 100),
        "an escaped quotation mark before a bracket": (b'"\\"["', '"['),
        "the longest number": (b"9" * digits, int("9" * digits)),
        "a fraction, which is no integer": (b"1.5", 1.5),
        "an exponent, which is no integer": (b"9e3", 9000.0),
        "a character above the first plane": (b'"\\ud83d\\ude00"', "\U0001f600"),
        "a byte order mark within a text": ('"a\ufeff"'.encode(), "a\ufeff"),
        "nothing": (b"null", None),
    }
    refused = {
        "no text": ("not-json", b""),
        "a text without an end": ("not-json", b'"' + b'\\"' * 1000),
        "a text that ends in a backslash": ("not-json", b'{"a":"\\'),
        "a bracket too few": ("not-json", b'{"a":[1}'),
        "more after the value": ("not-json", b"{} {}"),
        "a comma at the end": ("not-json", b"[1,]"),
        "a leading zero": ("not-json", b"01"),
        "a plus sign": ("not-json", b"+1"),
        "hexadecimal digits": ("not-json", b"0x10"),
        "digits of another script": ("not-json", "\u0663".encode()),
        "no digit after the point": ("not-json", b"1."),
        "single quotation marks": ("not-json", b"{'a':1}"),
        "a comment": ("not-json", b"{}//"),
        "a raw line break in a text": ("not-json", b'"a\nb"'),
        "an unknown escape": ("not-json", b'"\\x41"'),
        "white space of another kind": ("not-json", "\u00a01".encode()),
        "NaN": ("not-finite", b'{"a":NaN}'),
        "Infinity": ("not-finite", b"[-Infinity]"),
        "a number beyond all": ("not-finite", b"1e999"),
        "a number of many digits": ("long-number", b"9" * (digits + 1)),
        "a fraction of many digits": ("long-number", b"0." + b"9" * digits),
        "one level too many": ("too-deep", b"[" * (deep + 1) + b"]" * (deep + 1)),
        "objects too deep": ("too-deep", b'{"a":' * (deep + 1) + b"1" + b"}" * (deep + 1)),
        "two values of one name": ("duplicate-name", b'{"a":1,"a":1}'),
        "two values of one name, one of them escaped": ("duplicate-name", b'[{"a":1,"\\u0061":2}]'),
        "a byte order mark": ("byte-order-mark", b"\xef\xbb\xbf{}"),
        "UTF-16": ("not-utf-8", "{}".encode("utf-16")),
        "a byte that is no UTF-8": ("not-utf-8", b'"\xff"'),
        "half a surrogate pair": ("lone-surrogate", b'"\\ud800"'),
        "half a surrogate pair in a name": ("lone-surrogate", b'{"\\udc00":1}'),
        "half a surrogate pair in bytes": ("not-utf-8", b'"\xed\xa0\x80"'),
    }
    return {
        "about": "\u00a73 JSON: one rule for what others wrote",
        "valid": [{"why": why, "text": text, "value": value} for why, (text, value) in accepted.items()],
        "invalid": [failure(why, "JsonError", code=code, text=text) for why, (code, text) in refused.items()],
    }


FORMATS: dict[str, Callable[[], Vectors]] = {
    function.__name__: function
    for function in (
        *(content_key, container, merkle, envelopes, details, manifest, keyfile, json_text),
        *(disputes.dispute_key, disputes.response, disputes.content_proof, disputes.challenge),
    )
}


def text_of(name: str) -> str:
    return json.dumps(as_text(FORMATS[name]()), indent=1) + "\n"


if __name__ == "__main__":
    for format_name in FORMATS:
        (FOLDER / f"{format_name}.json").write_text(text_of(format_name))
