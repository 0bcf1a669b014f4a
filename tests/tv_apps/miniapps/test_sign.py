"""Signatures: DSSE over Ed25519, one key, one kind of payload, one package."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.errors import BadInput, ConfigurationError
from tv_apps.miniapps import sign


@pytest.fixture
def signer(tmp_path: Path) -> sign.Signer:
    return sign.make_key(tmp_path / "keys" / "developer.pem")


def test_a_key_file_is_its_owners_alone_and_is_never_overwritten(tmp_path: Path) -> None:
    """Mode 0600, refused when others could read it, refused a second time in the same place."""
    path = tmp_path / "developer.pem"
    made = sign.make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert sign.read_key(path).key_id == made.key_id
    with pytest.raises(ConfigurationError):
        sign.make_key(path)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError) as refused:
        sign.read_key(path)
    assert "chmod 600" in refused.value.cure


def test_the_encoding_is_that_of_the_dsse_protocol() -> None:
    """The example of the protocol's own text."""
    assert sign.pre_authentication_encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_what_was_signed_is_verified_and_nothing_else(signer: sign.Signer, tmp_path: Path) -> None:
    """Another payload, type, key or signature does not pass."""
    envelope = signer.sign(sign.DIGESTS_TYPE, {"app_id": "cn.example"})
    assert sign.verify(envelope, sign.DIGESTS_TYPE, signer.public_key) == {"app_id": "cn.example"}
    other = sign.make_key(tmp_path / "other.pem")
    changed = sign.Envelope(envelope.payload_type, envelope.payload + b" ", envelope.key_id, envelope.signature)
    retyped = sign.Envelope(sign.DECISION_TYPE, envelope.payload, envelope.key_id, envelope.signature)
    assert sign.verify(changed, sign.DIGESTS_TYPE, signer.public_key) is None
    assert sign.verify(retyped, sign.DECISION_TYPE, signer.public_key) is None
    assert sign.verify(envelope, sign.DECISION_TYPE, signer.public_key) is None
    assert sign.verify(envelope, sign.DIGESTS_TYPE, other.public_key) is None


def test_an_envelope_is_written_and_read_back(signer: sign.Signer) -> None:
    """The file beside a package is DSSE's JSON."""
    envelope = signer.sign(sign.DIGESTS_TYPE, {"名字": "书屋"})
    written = sign.write_envelope(envelope)
    assert sign.read_envelope(written) == envelope
    assert set(json.loads(written)) == {"payloadType", "payload", "signatures"}


@given(
    st.binary(max_size=300) | st.dictionaries(st.text(max_size=8), st.text(max_size=8)).map(json.dumps).map(str.encode)
)
def test_any_bytes_are_an_envelope_or_bad_input(content: bytes) -> None:
    """The reader knows nothing between."""
    with pytest.raises(BadInput):
        sign.read_envelope(content)


def test_a_public_key_is_one_line(signer: sign.Signer) -> None:
    """What is printed can be pasted; everything else is refused with the command that prints it."""
    assert sign.decode_public_key(" " + sign.encode_public_key(signer.public_key) + "\n") == signer.public_key
    for line in ("", "ed25519:", "ed25519:AAAA", "ssh-ed25519 AAAA", base64.b64encode(b"x" * 33).decode()):
        with pytest.raises(BadInput):
            sign.decode_public_key(line)
