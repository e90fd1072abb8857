"""The envelope of a seal: DSSE 1.0.0 (secure-systems-lab/dsse, protocol.md and envelope.md). Pure; knows no file.

What is signed is the pre-authentication encoding of type and body, so neither can be taken for another. DSSE lets an
envelope be spelt in many ways; ours has one, and any other is refused: a changed byte anywhere in the file shows, also
where no signature reaches (a space, the key's name, the spare bits of base64).
"""

from __future__ import annotations

import base64
import binascii

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rig.errors import TraceError
from rig.evidence.keys import key_id, signed_by

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """keyid: of the public key, hex (rig.evidence.keys). sig: base64."""

    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """payload: base64."""

    payload: str
    payload_type: str
    signatures: tuple[Signature, ...]


def close_envelope(body: bytes, key: Ed25519PrivateKey) -> bytes:
    """The envelope's bytes with a body signed by a key."""
    sig = base64.b64encode(key.sign(encoding(PAYLOAD_TYPE, body))).decode()
    signature = Signature(key_id(key.public_key()), sig)
    return _spelt(Envelope(base64.b64encode(body).decode(), PAYLOAD_TYPE, (signature,)))


def open_envelope(raw: bytes, key: Ed25519PublicKey | None) -> tuple[bytes, str]:
    """Body, and the id of the key that signed it. key: whose signature it must bear; None: the signature is not
    checked. TraceError with what is wrong."""
    try:
        envelope = msgspec.json.decode(raw, type=Envelope)
        body = base64.b64decode(envelope.payload, validate=True)
        signatures = [(one.keyid, base64.b64decode(one.sig, validate=True)) for one in envelope.signatures]
    except (msgspec.MsgspecError, binascii.Error, ValueError) as error:
        raise TraceError(f"is no envelope ({error})") from None
    if base64.b64encode(body).decode() != envelope.payload or _spelt(envelope) != raw:
        raise TraceError("is not spelt as it was written")
    if envelope.payload_type != PAYLOAD_TYPE or len(signatures) != 1:
        raise TraceError(f"must hold one {PAYLOAD_TYPE} with one signature")
    name, signature = signatures[0]
    if base64.b64encode(signature).decode() != envelope.signatures[0].sig:
        raise TraceError("is not spelt as it was written")
    if key is not None and (name != key_id(key) or not signed_by(key, signature, encoding(PAYLOAD_TYPE, body))):
        raise TraceError(f"its signature is not of the key {key_id(key)[:16]}")
    return body, name


def encoding(kind: str, body: bytes) -> bytes:
    """PAE of the protocol: "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body."""
    name = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(body), body)


def _spelt(envelope: Envelope) -> bytes:
    return msgspec.json.format(msgspec.json.encode(envelope), indent=1) + b"\n"
