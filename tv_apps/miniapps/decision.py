"""The platform's decision about one package: what was granted, where, until when; verified at every load."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.model.errors import BadInput
from gateway.model.ids import is_within
from gateway.store.miniapps import Proof, Submission
from tv_apps.miniapps import sign

VALID_FOR: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Decision:
    """An approval: the package with this digest, signed by this developer, may run with these scopes in these areas."""

    submission_id: str
    app_id: str
    version_code: int
    package_sha256: str
    developer_key_id: str
    scopes: tuple[str, ...]
    tier: str
    areas: tuple[str, ...]
    decided_by: str
    decided_at: datetime
    expires_at: datetime

    def holds_in(self, area_id: str) -> bool:
        """Tell whether a household of this area may open the app."""
        return any(is_within(area_id, area) for area in self.areas)

    def to_json(self) -> dict[str, object]:
        return {
            "submission_id": self.submission_id,
            "app_id": self.app_id,
            "version_code": self.version_code,
            "package_sha256": self.package_sha256,
            "developer_key_id": self.developer_key_id,
            "scopes": list(self.scopes),
            "tier": self.tier,
            "areas": list(self.areas),
            "decided_by": self.decided_by,
            "decided_at": self.decided_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
        }


def verify_developer(submission: Submission, proof: Proof) -> None:
    """Verify the developer's signature over the bytes as they are now. Raises BadInput with a reason."""
    envelope = sign.read_envelope(proof.signature)
    if proof.public_key is None or envelope.key_id != submission.key_id:
        raise _refused("key_unknown")
    if proof.key_revoked_at is not None:
        raise _refused("key_revoked")
    digests = sign.verify(envelope, sign.DIGESTS_TYPE, proof.public_key)
    if digests is None:
        raise _refused("signature_wrong")
    signed = (digests.get("app_id"), digests.get("version_code"), _package_digest(digests))
    if signed != (submission.app_id, submission.version_code, proof.package_sha256):
        raise _refused("digest_differs")


def verify_decision(submission: Submission, proof: Proof, platform_key: bytes, now: datetime) -> Decision:
    """Verify both signatures and the decision's own limits; return the decision. Raises BadInput with a reason."""
    verify_developer(submission, proof)
    if proof.decision is None:
        raise _refused("not_decided")
    content = sign.verify(sign.read_envelope(proof.decision), sign.DECISION_TYPE, platform_key)
    if content is None:
        raise _refused("decision_wrong")
    decision = _decision(content)
    said = (decision.submission_id, decision.app_id, decision.version_code, decision.developer_key_id)
    if said != (submission.submission_id, submission.app_id, submission.version_code, submission.key_id):
        raise _refused("decision_of_other")
    if decision.package_sha256 != proof.package_sha256:
        raise _refused("digest_differs")
    if now >= decision.expires_at:
        raise _refused("decision_expired")
    return decision


def _decision(content: Mapping[str, object]) -> Decision:
    """Read our own signed words back."""
    try:
        return Decision(
            submission_id=str(content["submission_id"]),
            app_id=str(content["app_id"]),
            version_code=int(str(content["version_code"])),
            package_sha256=str(content["package_sha256"]),
            developer_key_id=str(content["developer_key_id"]),
            scopes=_texts(content["scopes"]),
            tier=str(content["tier"]),
            areas=_texts(content["areas"]),
            decided_by=str(content["decided_by"]),
            decided_at=datetime.fromisoformat(str(content["decided_at"])),
            expires_at=datetime.fromisoformat(str(content["expires_at"])),
        )
    except (KeyError, ValueError) as error:
        raise _refused("decision_wrong") from error


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _package_digest(digests: Mapping[str, object]) -> object:
    package = digests.get("package")
    return package.get("sha256") if isinstance(package, Mapping) else None


def _refused(reason: str) -> BadInput:
    return BadInput("the package is not what was approved", reason=reason, cure="Publish it again.")
