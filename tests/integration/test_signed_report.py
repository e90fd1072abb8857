"""A signed report: whose signature it is, that nothing can be changed after it, and what is refused."""

from __future__ import annotations

import datetime
import importlib.util
import io
from pathlib import Path

import pypdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from synthetic_run import build

from reports.laboratory import Laboratory
from reports.pdf import write_pdf
from reports.sign import Signing, load_signer
from rig.errors import UseError

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pyhanko") is None, reason="pyHanko is not installed")
LAB = Laboratory(
    name="Example Test Laboratory",
    address="2 Example Street, 7270 Davos",
    place="Hall 3, Davos",
    customer="Example Power K.K.",
    authorised_by="A. Person",
    issued="2026-11-26",
)


class Person:
    """A key with its certificate, as files."""

    def __init__(self, folder: Path, name: str) -> None:
        self.secret = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = dict.fromkeys(
            ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only",
             "decipher_only"), False)  # fmt: skip
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self.secret.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.datetime(2020, 1, 1))
            .not_valid_after(datetime.datetime(2100, 1, 1))
            .add_extension(x509.KeyUsage(digital_signature=True, content_commitment=True, **usage), critical=True)
            .sign(self.secret, hashes.SHA256())
        )
        self.key, self.cert, self.ring = (folder / f"{name}.{end}" for end in ("key", "pem", "p12"))
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        self.key.write_bytes(self.secret.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        self.cert.write_bytes(self.certificate.public_bytes(pem))
        locked = serialization.BestAvailableEncryption(b"word")
        self.ring.write_bytes(pkcs12.serialize_key_and_certificates(b"a", self.secret, self.certificate, None, locked))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("run") / "a", angles=(0,))


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person(tmp_path_factory.mktemp("keys"), "A. Person")


def checked(raw: bytes, person: Person) -> tuple[bool, bool, str]:
    """Whether the bytes are those signed, whether the signer is trusted, and what changed after."""
    from pyhanko.keys import load_cert_from_pemder
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext

    root = load_cert_from_pemder(str(person.cert))
    (signature,) = PdfFileReader(io.BytesIO(raw)).embedded_signatures
    found = validate_pdf_signature(signature, ValidationContext(trust_roots=[root], allow_fetching=False))
    return found.intact and found.valid, found.trusted, found.coverage.name


@pytest.mark.parametrize("ring", [False, True])
def test_a_final_report_is_signed_over_the_whole_file(folder: Path, person: Person, tmp_path: Path, ring: bool) -> None:
    signing = Signing(person.ring, passphrase=b"word") if ring else Signing(person.key, person.cert)
    raw = write_pdf(folder, tmp_path / "a.pdf", LAB, True, signing=signing).read_bytes()
    assert b"/ETSI.CAdES.detached" in raw
    assert checked(raw, person) == (True, True, "ENTIRE_FILE")
    plain = write_pdf(folder, tmp_path / "b.pdf", LAB, True).read_bytes()
    assert raw.startswith(plain)
    spoiled = bytearray(raw)
    spoiled[len(plain) // 2] ^= 1
    assert checked(bytes(spoiled), person)[0] is False


def test_a_signed_report_is_the_archive_file_it_was(folder: Path, person: Person, tmp_path: Path) -> None:
    """What ISO 19005-2 asks of what a signature adds: PDF 1.7 still, the metadata as they were, a field that is printed
    and not hidden, no appearance that a reader would have to make."""
    plain = pypdf.PdfReader(write_pdf(folder, tmp_path / "a.pdf", LAB, True))
    signed = pypdf.PdfReader(write_pdf(folder, tmp_path / "b.pdf", LAB, True, signing=Signing(person.key, person.cert)))
    was, now = (one.trailer["/Root"].get_object() for one in (plain, signed))
    assert set(now) - set(was) == {"/AcroForm", "/Extensions", "/Perms"}
    assert signed.pdf_header == "%PDF-1.7"
    assert now["/Metadata"].get_object().get_data() == was["/Metadata"].get_object().get_data()
    assert signed.metadata == plain.metadata
    form = now["/AcroForm"].get_object()
    assert "/NeedAppearances" not in form
    (field,) = (one.get_object() for one in form["/Fields"])
    printed, unseen = 4, 1 | 2 | 32
    assert field["/F"] & printed
    assert not field["/F"] & unseen
    assert field["/Rect"] == [-1, -1, -1, -1]


def test_the_signature_of_another_is_not_trusted(folder: Path, person: Person, tmp_path: Path) -> None:
    other = Person(tmp_path, "Somebody")
    raw = write_pdf(folder, tmp_path / "a.pdf", LAB, True, signing=Signing(other.key, other.cert)).read_bytes()
    assert checked(raw, person)[:2] == (True, False)


def test_a_draft_is_not_signed(folder: Path, person: Person, tmp_path: Path) -> None:
    with pytest.raises(UseError, match="a draft is not signed; add --final"):
        write_pdf(folder, tmp_path / "a.pdf", LAB, False, signing=Signing(person.key, person.cert))
    assert not (tmp_path / "a.pdf").exists()


def test_keys_that_cannot_sign_are_named(person: Person, tmp_path: Path) -> None:
    other = Person(tmp_path, "Somebody")
    for signing, said in (
        (Signing(tmp_path / "none.pem", person.cert), "none.pem: is no file"),
        (Signing(person.key), "name its certificate with --sign-cert"),
        (Signing(person.ring, passphrase=b"wrong"), "cannot be used"),
        (Signing(person.ring), "cannot be used"),
        (Signing(person.key, other.cert), "is the certificate of another key"),
    ):
        with pytest.raises(UseError, match=said):
            load_signer(signing)
