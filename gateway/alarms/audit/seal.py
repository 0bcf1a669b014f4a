"""The audit's key pair (Ed25519): made once, private for its owner alone, public beside the checkpoints."""

import base64
import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.model.errors import ConfigurationError

#: What is signed begins with this, so that no signature can be shown as one of something else.
_PURPOSE: Final = b"linli audit checkpoint 1\n"
_PEM: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----\n?", re.DOTALL)


class Seal:
    """A private key that signs checkpoints."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self.public = PublicSeal(private_key.public_key())
        self.key_id = self.public.key_id

    def sign(self, content: bytes) -> str:
        """Return the signature of `content`, base64."""
        return base64.b64encode(self._private_key.sign(_PURPOSE + content)).decode()


class PublicSeal:
    """A public key that recognises checkpoints."""

    def __init__(self, public_key: Ed25519PublicKey) -> None:
        self._public_key = public_key
        raw = public_key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.key_id = hashlib.sha256(raw).hexdigest()[:16]

    @property
    def pem(self) -> bytes:
        return self._public_key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def is_signature(self, signature: str, content: bytes) -> bool:
        """Tell whether `signature` (base64) was made by this key for `content`."""
        try:
            self._public_key.verify(base64.b64decode(signature, validate=True), _PURPOSE + content)
        except (InvalidSignature, ValueError):
            return False
        return True


def read_or_make(path: Path) -> Seal:
    """Return the key in `path`, made on first use (mode 0600). Raises ConfigurationError, OSError."""
    if not path.exists():
        with contextlib.suppress(FileExistsError):  # another process was faster: its key counts
            _write_new(path, _new_key())
    return _read(path)


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_new(path: Path, content: bytes) -> None:
    """Let the file appear whole or not at all, readable by its owner alone; raises FileExistsError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        os.link(file.name, path)


def _read(path: Path) -> Seal:
    if path.stat().st_mode & 0o077:
        raise ConfigurationError("others can read this key", place=str(path), cure=f"chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError("this is no private key", place=str(path), cure="Restore it from a backup.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError("this is no Ed25519 key", place=str(path), cure="Restore it from a backup.")
    return Seal(key)


def publish(public: PublicSeal, path: Path) -> None:
    """Make sure that `path` holds this public key; keys that were used before stay in it. Raises OSError."""
    known = path.read_bytes() if path.exists() else b""
    if public.pem not in known:
        with path.open("ab") as file:
            file.write(public.pem)
            file.flush()
            os.fsync(file.fileno())


def read_public(path: Path) -> Mapping[str, PublicSeal]:
    """Return the public keys in a file by their ids. Raises ConfigurationError where there is none."""
    cure = "Name the file with --public-key; the gateway writes audit.pub beside the checkpoints."
    try:
        keys = [serialization.load_pem_public_key(pem) for pem in _PEM.findall(path.read_bytes())]
    except OSError as error:
        raise ConfigurationError(f"no public key: {error.strerror}", place=str(path), cure=cure) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError("this is no public key", place=str(path), cure=cure) from error
    found = {seal.key_id: seal for key in keys if isinstance(key, Ed25519PublicKey) for seal in [PublicSeal(key)]}
    if not found:
        raise ConfigurationError("there is no Ed25519 public key in it", place=str(path), cure=cure)
    return found
