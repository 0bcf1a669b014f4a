"""Ed25519 signatures in DSSE envelopes: the developer signs digests, the platform signs its decision.

What is signed is DSSE's pre-authentication encoding of the payload's type and bytes, so no canonical JSON is
needed and a signature over one kind of payload never counts for another. A key's id is the SHA-256 of its 32
public bytes. Private keys are PEM files that only their owner can read. Source: the DSSE protocol (secure-systems-lab).
"""

import base64
import binascii
import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.model.errors import BadInput, ConfigurationError
from tv_apps.miniapps.findings import refusal
from tv_apps.miniapps.package import Package, file_digests

DIGESTS_TYPE: Final = "application/vnd.linli.miniapp.digests+json"
DECISION_TYPE: Final = "application/vnd.linli.miniapp.decision+json"
SIGNATURE_SUFFIX: Final = ".sig"
MAX_ENVELOPE_BYTES: Final = 256 * 1024
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload and one signature over it."""

    payload_type: str
    payload: bytes
    key_id: str
    signature: bytes


def key_id_of(public_key: bytes) -> str:
    """Return the id of a raw public key: its SHA-256 in hex."""
    return hashlib.sha256(public_key).hexdigest()


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that DSSE signs."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


class Signer:
    """A private key in memory."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.public_key = private_key.public_key().public_bytes_raw()
        self.key_id = key_id_of(self.public_key)

    def sign(self, payload_type: str, content: Mapping[str, object]) -> Envelope:
        """Sign `content` as JSON."""
        payload = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        signature = self._private_key.sign(pre_authentication_encoding(payload_type, payload))
        return Envelope(payload_type, payload, self.key_id, signature)


def verify(envelope: Envelope, payload_type: str, public_key: bytes) -> Mapping[str, object] | None:
    """Return the signed content, or None when type, key or signature do not fit."""
    if envelope.payload_type != payload_type or envelope.key_id != key_id_of(public_key):
        return None
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(envelope.signature, pre_authentication_encoding(payload_type, envelope.payload))
        content = json.loads(envelope.payload)
    except (InvalidSignature, ValueError):
        return None
    return content if isinstance(content, dict) else None


def digests_of(package: Package, app_id: str, version_code: int) -> dict[str, object]:
    """Return what a developer signs: which app and version, the package's digest and that of each file."""
    return {
        "app_id": app_id,
        "version_code": version_code,
        "package": {"sha256": package.digest, "size_bytes": len(package.packed)},
        "files": file_digests(package.files),
    }


def write_envelope(envelope: Envelope) -> bytes:
    """Return the envelope as DSSE's JSON."""
    encoded = base64.b64encode(envelope.signature).decode()
    document = {
        "payloadType": envelope.payload_type,
        "payload": base64.b64encode(envelope.payload).decode(),
        "signatures": [{"keyid": envelope.key_id, "sig": encoded}],
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def read_envelope(content: bytes, label: str = "signature") -> Envelope:
    """Read DSSE's JSON with exactly one signature. Raises Refusal (a BadInput)."""
    if len(content) > MAX_ENVELOPE_BYTES:
        raise refusal("envelope_broken", label)
    try:
        document = json.loads(content)
        (signature,) = document["signatures"]
        return Envelope(
            str(document["payloadType"]),
            base64.b64decode(document["payload"], validate=True),
            str(signature["keyid"]),
            base64.b64decode(signature["sig"], validate=True),
        )
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise refusal("envelope_broken", label) from error


def make_key(path: Path) -> Signer:
    """Make a new private key in `path` (mode 0600). Raises ConfigurationError when the file is there already."""
    private_key = Ed25519PrivateKey.generate()
    pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _write_new(path, pem)
    except FileExistsError as error:
        cure = "换一个文件名；旧密钥丢了就不能再发布它签过的应用"
        raise ConfigurationError("这里已经有一个密钥", place=str(path), cure=cure) from error
    return Signer(private_key)


def _write_new(path: Path, content: bytes) -> None:
    """Let the file appear whole or not at all, readable by its owner alone; raises FileExistsError."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        os.link(file.name, path)


def read_key(path: Path) -> Signer:
    """Read a private key; refuses one that others on this machine could read."""
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationError("别人也能读这个密钥", place=str(path), cure=f"chmod 600 {path}")
        private_key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as error:
        raise ConfigurationError("没有这个密钥", place=str(path), cure="先运行 linli app keys new") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            "这不是一个密钥文件", place=str(path), cure="换成 linli app keys new 建的文件"
        ) from error
    if not isinstance(private_key, Ed25519PrivateKey):
        raise ConfigurationError("不是 Ed25519 密钥", place=str(path), cure="换成 linli app keys new 建的文件")
    return Signer(private_key)


def read_or_make_key(path: Path) -> Signer:
    """Return the platform's own key, made on first use."""
    if not path.exists():
        with contextlib.suppress(ConfigurationError):  # another process was faster: its key counts
            return make_key(path)
    return read_key(path)


def encode_public_key(public_key: bytes) -> str:
    """Return a public key as one line that can be pasted into a form."""
    return "ed25519:" + base64.b64encode(public_key).decode()


def decode_public_key(line: str) -> bytes:
    """Read such a line back. Raises BadInput."""
    try:
        public_key = base64.b64decode(line.strip().removeprefix("ed25519:"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise _not_a_key() from error
    if len(public_key) != KEY_BYTES:
        raise _not_a_key()
    return public_key


def _not_a_key() -> BadInput:
    return BadInput("这不是一个公钥", reason="not_a_key", cure="粘贴 linli app keys new 打印的那一行，ed25519: 开头的")
