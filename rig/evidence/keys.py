"""Keys of the seal: an Ed25519 pair (RFC 8032) in PEM files, private as PKCS #8, public as SubjectPublicKeyInfo.

The private file is its owner's only, from the moment it exists, and is never written over. A key says who sealed a run,
nothing more: how a verifier comes to trust a public key is settled between people, outside the evidence.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rig.errors import UseError
from rig.evidence.journal import sync_folder, why

PUBLIC = ".pub"
OWNER_ONLY = 0o600


def new_keys(path: Path) -> tuple[Path, Path]:
    """Make a pair: the private key at path, the public beside it as path.pub. UseError when either is there already."""
    public = path.with_name(path.name + PUBLIC)
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())
    if public.exists() or public.is_symlink():
        raise UseError(f"{public}: is there already; name another file, a key is never written over")
    _write_new(path, secret, OWNER_ONLY)
    _write_new(public, public_pem(key.public_key()), 0o644)
    return path, public


def read_private(path: Path) -> Ed25519PrivateKey:
    """The key that seals. UseError when it is none, or when others than its owner can read it."""
    raw = _read(path)
    if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
        raise UseError(f"{path}: others than its owner may use it (mode {mode:o}); chmod 600 it, or make a new one")
    try:
        key = pem.load_pem_private_key(raw, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UseError(f"{path}: is no private key without passphrase; make one with v2hrig key new") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UseError(f"{path}: is no Ed25519 key; make one with v2hrig key new")
    return key


def read_public(path: Path) -> Ed25519PublicKey:
    """The key that verifies. UseError when it is none."""
    try:
        key = pem.load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm):
        raise UseError(f"{path}: is no public key; name the {PUBLIC} file of v2hrig key new") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UseError(f"{path}: is no Ed25519 key; name the {PUBLIC} file of v2hrig key new")
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """As it stands in its file."""
    return key.public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256, hex, of the key's SubjectPublicKeyInfo in DER: what two people can compare by voice."""
    return hashlib.sha256(key.public_bytes(pem.Encoding.DER, pem.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def signed_by(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the signature of the message is of this key."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UseError(f"{path}: cannot be read ({why(error)}); name a key file") from None


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise UseError(f"{path}: is there already; name another file, a key is never written over") from None
    except OSError as error:
        raise UseError(f"{path}: cannot be made ({why(error)}); name a file in a folder that is there") from None
    with os.fdopen(file, "wb") as out:
        os.fchmod(out.fileno(), mode)  # whatever the umask
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    sync_folder(path.parent)
