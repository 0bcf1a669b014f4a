"""Submissions from upload to decision: checked again here, moved by the table, signed by the platform."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.accounts.sessions import Accounts
from gateway.model.errors import BadInput, Forbidden, NotFound
from gateway.model.ids import new_ulid
from gateway.model.people import PLATFORM, Person
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.store.miniapps import AppRecord, DeveloperKey, MiniAppStore, Step, Submission
from tv_apps.miniapps import manifest as manifests
from tv_apps.miniapps import sign
from tv_apps.miniapps.application import App
from tv_apps.miniapps.catalog import PlatformKey, open_verified
from tv_apps.miniapps.check import Report, check_bytes
from tv_apps.miniapps.decision import VALID_FOR, Decision, verify_developer
from tv_apps.miniapps.findings import Finding, Refusal, has_problem, in_order
from tv_apps.miniapps.manifest import Manifest
from tv_apps.miniapps.states import Action, State, next_state

log = logs.get(__name__)

MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """What came over the network."""

    package: bytes
    signature: bytes
    label: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an upload: the submission (None when it could not even be kept) and all findings."""

    submission: Submission | None
    findings: tuple[Finding, ...]
    is_new: bool = True


class ReviewDesk:
    """The only road into the mini-app tables."""

    def __init__(self, store: MiniAppStore, accounts: Accounts, clock: Clock, key: PlatformKey) -> None:
        self.store = store
        self._accounts = accounts
        self._clock = clock
        self._key = key

    async def submit(self, by: Person, upload: Upload, *, hold: bool = False) -> Outcome:
        """Check an upload and keep it; unless `hold`, a clean one goes straight into review.

        The same package sent again answers with the submission that is there.
        """
        report = await asyncio.to_thread(check_bytes, upload.package, upload.label)
        findings = [*report.findings, *await self._signature_findings(by, report, upload)]
        if report.manifest is None or report.package is None or _is_unsigned(findings):
            return self._turned_away(findings)
        record = await self.store.app(report.manifest.app_id)
        if record.person_id not in {None, by.person_id}:
            facts = {"app_id": report.manifest.app_id}
            return self._turned_away([*findings, Finding("app_of_other", manifests.FILE, facts=facts)])
        same = await self.store.find_same(report.manifest.app_id, report.manifest.version.code, report.package.digest)
        if same:
            return Outcome(await self.find(same), in_order(findings), is_new=False)
        findings += _version_findings(record, report.manifest)
        return await self._keep(by, report, upload, in_order(findings), hold=hold)

    def _turned_away(self, findings: Sequence[Finding]) -> Outcome:
        ordered = in_order(findings)
        metrics.dropped("developer", f"miniapp_{ordered[0].key}")
        return Outcome(None, ordered)

    async def _signature_findings(self, by: Person, report: Report, upload: Upload) -> list[Finding]:
        label = f"{upload.label}{sign.SIGNATURE_SUFFIX}"
        try:
            envelope = sign.read_envelope(upload.signature, label)
        except Refusal as error:
            return [error.finding]
        key = await self.store.find_key(envelope.key_id)
        complaint = _key_complaint(by, key) or (_signature_complaint(envelope, key, report) if key else "")
        return [Finding(complaint, label, facts={"key": envelope.key_id[:12]})] if complaint else []

    async def _keep(
        self, by: Person, report: Report, upload: Upload, findings: tuple[Finding, ...], *, hold: bool
    ) -> Outcome:
        now, is_clean = self._clock.now(), not has_problem(findings)
        steps = [Step("", State.DRAFT, now, by.person_id, by.display_name)]
        if is_clean:
            steps.append(Step(State.DRAFT, State.CHECKED, now, PLATFORM.person_id, PLATFORM.display_name))
        if is_clean and not hold:
            steps.append(Step(State.CHECKED, State.IN_REVIEW, now, by.person_id, by.display_name))
        submission = _submission(by, report, upload, findings, steps[-1])
        await self.store.submit(submission, upload.package, upload.signature, steps)
        await self._audit(by, "miniapp_submitted", submission, state=submission.state)
        return Outcome(submission, findings)

    async def find(self, submission_id: str) -> Submission:
        """Return a submission; raises NotFound."""
        found = await self.store.find(submission_id)
        if found is None:
            raise NotFound("no such submission", place=submission_id)
        return found

    async def seen_by(self, person: Person, submission_id: str) -> Submission:
        """Return a submission that `person` may see: their own, or any beyond a draft for an official."""
        found = await self.find(submission_id)
        is_reviewer = person.has_role("official") and found.state != State.DRAFT
        if found.person_id != person.person_id and not is_reviewer:
            raise NotFound("no such submission", place=submission_id)
        return found

    async def ask_review(self, by: Person, submission_id: str) -> Submission:
        return await self._step(by, submission_id, Action.ASK_REVIEW)

    async def reject(self, by: Person, submission_id: str, reason: str) -> Submission:
        """Reject with a reason that the developer can act on."""
        if not reason.strip():
            raise BadInput("没写原因", reason="no_reason", place="reason", cure="写一句开发者照着就能改的话")
        return await self._step(by, submission_id, Action.REJECT, reason.strip()[:MAX_REASON])

    async def approve(self, by: Person, submission_id: str, note: str = "") -> Submission:
        """Verify the stored bytes once more, sign the decision, and let the app onto the televisions."""
        submission = await self.find(submission_id)
        next_state(State(submission.state), Action.APPROVE, by=by, developer_id=submission.person_id)
        app = await self.opened(submission)
        decision = self._decision(by, submission, app.manifest)
        envelope = self._key.signer.sign(sign.DECISION_TYPE, decision.to_json())
        signed = sign.write_envelope(envelope)
        return await self._step(by, submission_id, Action.APPROVE, note.strip()[:MAX_REASON], decision=signed)

    async def opened(self, submission: Submission) -> App:
        """Return the app from the stored bytes, after the developer's signature was verified over them."""
        proof = await self.store.proof(submission.submission_id)
        packed = await self.store.package(submission.submission_id)
        if proof is None or packed is None:
            raise NotFound("no such submission", place=submission.submission_id)
        verify_developer(submission, proof)
        return await asyncio.to_thread(open_verified, packed, submission.digest, submission.app_id)

    def _decision(self, by: Person, submission: Submission, manifest: Manifest) -> Decision:
        now = self._clock.now()
        return Decision(
            submission_id=submission.submission_id,
            app_id=submission.app_id,
            version_code=submission.version_code,
            package_sha256=submission.digest,
            developer_key_id=submission.key_id,
            scopes=manifest.scopes,
            tier=manifest.linli.tier,
            areas=_granted_areas(by, manifest),
            decided_by=by.person_id,
            decided_at=now,
            expires_at=now + VALID_FOR,
        )

    async def _step(
        self, by: Person, submission_id: str, action: Action, note: str = "", *, decision: bytes | None = None
    ) -> Submission:
        submission = await self.find(submission_id)
        state = State(submission.state)
        to = next_state(state, action, by=by, developer_id=submission.person_id)
        step = Step(state, to, self._clock.now(), by.person_id, by.display_name, note)
        await self.store.move(submission, step, decision=decision)
        await self._audit(by, f"miniapp_{to}", submission, note=note)
        return replace(submission, state=to, changed_at=step.at)

    async def _audit(self, by: Person, action: str, submission: Submission, **facts: str) -> None:
        details = {"submission_id": submission.submission_id, "digest": submission.digest, **facts}
        await self._accounts.record(by, action, f"{submission.app_id} {submission.version_code}", details=details)
        log.info(action, app_id=submission.app_id, version_code=submission.version_code, person=by.name)


def _is_unsigned(findings: Sequence[Finding]) -> bool:
    return any(found.rule_id.startswith("SIGN-") for found in findings)


def _version_findings(record: AppRecord, manifest: Manifest) -> list[Finding]:
    code = manifest.version.code
    if code > record.last_code:
        return []
    facts = {"code": str(code), "last": str(record.last_code), "next": str(record.last_code + 1)}
    return [Finding("version_not_rising", manifests.FILE, facts=facts)]


def _key_complaint(by: Person, key: DeveloperKey | None) -> str:
    if key is None or key.person_id != by.person_id:
        return "key_unknown"
    return "key_revoked" if key.revoked_at else ""


def _signature_complaint(envelope: sign.Envelope, key: DeveloperKey, report: Report) -> str:
    digests = sign.verify(envelope, sign.DIGESTS_TYPE, key.public_key)
    if digests is None:
        return "signature_wrong"
    if report.package is None or report.manifest is None:
        return ""
    expected = sign.digests_of(report.package, report.manifest.app_id, report.manifest.version.code)
    return "" if digests == expected else "digest_differs"


def _granted_areas(by: Person, manifest: Manifest) -> tuple[str, ...]:
    """Return the areas of the manifest that the official answers for; without any in the manifest, the official's."""
    granted = tuple(area for area in manifest.linli.areas if by.may_see(area))
    if manifest.linli.areas and not granted:
        raise Forbidden("it is meant for areas outside yours", cure="Ask an official of that area.")
    return granted or (by.area_id,)


def _submission(by: Person, report: Report, upload: Upload, findings: tuple[Finding, ...], last: Step) -> Submission:
    assert report.manifest is not None  # noqa: S101 - the caller turned the others away
    assert report.package is not None  # noqa: S101
    manifest = report.manifest
    return Submission(
        submission_id=new_ulid(last.at),
        app_id=manifest.app_id,
        version_code=manifest.version.code,
        version_name=manifest.version.name,
        name=manifest.name,
        person_id=by.person_id,
        developer_name=by.display_name,
        publisher=manifest.linli.publisher,
        key_id=sign.read_envelope(upload.signature).key_id,
        digest=report.package.digest,
        package_bytes=len(upload.package),
        manifest=manifest.model_dump(mode="json"),
        findings=[found.to_json() for found in findings],
        state=last.to_state,
        submitted_at=last.at,
        changed_at=last.at,
    )
