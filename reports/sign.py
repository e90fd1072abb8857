"""A signature on the report on paper: PAdES-B-B (ETSI EN 319 142-1) by pyHanko, over the whole file, allowing no change
after it. Its place is a field beside the page, as PDF/A-2 and PDF/UA allow, and nothing else of the file is changed, so
that it stays the archive file it was; the person who answers for the report stands on page 1.

A signature says who gave the file out and that it is what they gave out; what was found is proved by the seal of the
evidence. No time-stamp server is asked, so the time in it is the signer's own clock.
"""

from __future__ import annotations

import importlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.errors import UseError

FIELD = "Authorised"
_KEYRINGS = (".p12", ".pfx")


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs. key: PEM with its certificate in `certificate`, or PKCS #12 with both. chain: PEM of the certificates
    above it. passphrase: of the key; None when it has none."""

    key: Path
    certificate: Path | None = None
    chain: tuple[Path, ...] = ()
    passphrase: bytes | None = None


def sign_pdf(raw: bytes, signing: Signing, reason: str, place: str = "") -> bytes:
    """The report with a signature. UseError without pyHanko, or for a key that cannot be used."""
    signer = load_signer(signing)
    signers, fields = _part("sign.signers"), _part("sign.fields")
    writer = _part("pdf_utils.incremental_writer").IncrementalPdfFileWriter(io.BytesIO(raw))
    # PDF/A-2 is of PDF 1.7, and its metadata are the report's own: the signature adds itself and changes neither.
    writer.ensure_output_version = writer._update_meta = lambda *_, **__: None
    facts = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        reason=reason,
        location=place or None,
        certify=True,
        subfilter=fields.SigSeedSubFilter.PADES,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    # Not on the page: what nobody sees needs no place among the tags of PDF/UA.
    field = fields.SigFieldSpec(FIELD, box=(-1, -1, -1, -1), readable_field_name=reason)
    made: io.BytesIO = signers.PdfSigner(facts, signer=signer, new_field_spec=field).sign_pdf(writer)
    return made.getvalue()


def load_signer(signing: Signing) -> Any:
    """The key, ready. UseError as sign_pdf."""
    key, certificate = signing.key, signing.certificate
    for path in (key, certificate, *signing.chain):
        if path is not None and not path.is_file():
            raise UseError(f"{path}: is no file; name the key and its certificate")
    if key.suffix.lower() not in _KEYRINGS and certificate is None:
        raise UseError(f"{key}: name its certificate with --sign-cert, or give one file .p12 with both")
    simple = _part("sign.signers").SimpleSigner
    chain = [str(one) for one in signing.chain] or None
    try:
        if key.suffix.lower() in _KEYRINGS:
            found = simple.load_pkcs12(str(key), chain, passphrase=signing.passphrase)
        else:
            found = simple.load(str(key), str(certificate), chain, key_passphrase=signing.passphrase)
    except (OSError, ValueError, TypeError) as error:
        raise UseError(f"{key}: cannot be used ({error}); look at its passphrase and format") from None
    if found is None:
        raise UseError(f"{key}: cannot be used; look at its passphrase and format")
    if found.signing_cert.public_key.native["public_key"] != _public(found):
        raise UseError(f"{certificate or key}: is the certificate of another key")
    return found


def _public(signer: Any) -> Any:
    """The public half of the private key, as the certificate has it."""
    from cryptography.hazmat.primitives import serialization

    x509 = importlib.import_module("asn1crypto.keys")
    load = serialization.load_der_private_key(signer.signing_key.dump(), None)
    der = load.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return x509.PublicKeyInfo.load(der).native["public_key"]


def _part(name: str) -> Any:
    try:
        return importlib.import_module(f"pyhanko.{name}")
    except ImportError:
        raise UseError("a signature needs pyHanko; pip install 'v2hrig[sign]'") from None
