"""From a folder to a television: publish, review, decide, load."""

import json
from pathlib import Path

import pytest

from gateway.model.errors import BadInput, Forbidden, NotFound
from tests.tv_apps.miniapps.conftest import AREA, LIBRARY, Console, linli_app, upload
from tv_apps.miniapps.findings import Finding


async def test_the_bundled_library_is_published_by_the_public_commands_alone(console: Console) -> None:
    """Pack, sign and publish bring the bundled app into review, with no problem found."""
    package = await console.packed(LIBRARY)
    assert await console.publish(package) == 0
    (submission,) = await console.apps.desk.store.all()
    assert (submission.app_id, submission.state) == ("cn.linli.library", "in_review")
    assert [step.to_state for step in await console.apps.desk.store.steps(submission.submission_id)] == [
        "draft",
        "checked",
        "in_review",
    ]


async def test_an_approved_app_opens_on_a_television_of_the_area_and_nowhere_else(console: Console) -> None:
    """The decision names areas; a household outside them does not find the app."""
    await console.approved(LIBRARY)
    loaded = await console.apps.catalog.load("cn.linli.library", AREA)
    assert loaded.app.manifest.name == "书屋"
    assert loaded.decision.scopes == ("profile.area",)
    with pytest.raises(NotFound):
        await console.apps.catalog.load("cn.linli.library", "320500000000")


async def test_an_app_in_review_is_not_on_any_television(console: Console) -> None:
    """Before the decision there is nothing to load."""
    assert await console.publish(await console.packed(LIBRARY)) == 0
    with pytest.raises(NotFound):
        await console.apps.catalog.load("cn.linli.library", AREA)
    assert await console.apps.catalog.shelf(AREA) == []


@pytest.mark.parametrize("column", ["package", "signature", "decision"])
async def test_one_changed_byte_in_the_database_closes_the_app(console: Console, column: str) -> None:
    """Both signatures are verified over the stored bytes at every load, also after a load that was good."""
    submission_id = await console.approved(LIBRARY)
    await console.apps.catalog.load("cn.linli.library", AREA)
    await console.database.execute(
        f"update miniapp_submissions set {column} = set_byte({column}, 90, get_byte({column}, 90) # 1)"
        " where submission_id = $1",
        submission_id,
    )
    with pytest.raises(BadInput):
        await console.apps.catalog.load("cn.linli.library", AREA)
    (entry,) = await console.apps.catalog.shelf(AREA)
    assert entry.loaded is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("version_code = version_code + 1", "digest_differs"),
        ("app_id = 'cn.linli.other'", "digest_differs"),
        ("decision = null, state = 'in_review'", ""),
    ],
)
async def test_a_row_that_says_something_else_than_was_signed_is_refused(
    console: Console, change: str, reason: str
) -> None:
    """Names and numbers in the row count for nothing against what was signed."""
    submission_id = await console.approved(LIBRARY)
    await console.database.execute(f"update miniapp_submissions set {change} where submission_id = $1", submission_id)
    app_id = "cn.linli.other" if "other" in change else "cn.linli.library"
    with pytest.raises(BadInput if reason else NotFound) as refused:
        await console.apps.catalog.load(app_id, AREA)
    assert getattr(refused.value, "reason", "") == reason


async def test_a_decision_of_another_package_does_not_open_this_one(console: Console, tmp_path: Path) -> None:
    """An approval copied from one submission to another is refused."""
    first = await console.approved(LIBRARY)
    linli_app("new", tmp_path / "guide", "--id", "cn.example.guide")
    assert await console.publish(await console.packed(tmp_path / "guide", "guide.mapp")) == 0
    await console.database.execute(
        "update miniapp_submissions set state = 'approved', decision = (select decision from miniapp_submissions where"
        " submission_id = $1) where app_id = 'cn.example.guide'",
        first,
    )
    with pytest.raises(BadInput) as refused:
        await console.apps.catalog.load("cn.example.guide", AREA)
    assert refused.value.reason == "decision_of_other"


async def test_a_decision_ends_after_a_year(console: Console) -> None:
    """An approval that nobody renews does not last for ever."""
    await console.approved(LIBRARY)
    console.clock.advance(366 * 86400)
    with pytest.raises(BadInput) as refused:
        await console.apps.catalog.load("cn.linli.library", AREA)
    assert refused.value.reason == "decision_expired"


async def test_a_revoked_key_closes_what_it_signed(console: Console) -> None:
    """A lost key is revoked by its owner, and televisions refuse from the next load on."""
    await console.approved(LIBRARY)
    (key,) = await console.apps.desk.store.keys(console.developer.person_id)
    await console.apps.desk.store.revoke_key(key.key_id, console.developer.person_id, console.clock.now())
    with pytest.raises(BadInput) as refused:
        await console.apps.catalog.load("cn.linli.library", AREA)
    assert refused.value.reason == "key_revoked"


async def test_the_same_package_again_is_the_same_submission_and_a_changed_one_must_rise(
    console: Console, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sending twice changes nothing; other bytes under the same version code are refused with the next code."""
    source = tmp_path / "guide"
    linli_app("new", source)
    package = await console.packed(source)
    assert await console.publish(package) == 0
    assert await console.publish(package) == 0
    assert len(await console.apps.desk.store.all()) == 1
    page = source / "data" / "guide.json"
    page.write_text(page.read_text().replace("第一条", "头一条"))
    changed = await console.packed(source, "changed.mapp")
    capsys.readouterr()
    assert await console.publish(changed) == 1
    assert "MAN-07" in (answer := capsys.readouterr().out) and "2" in answer
    manifest = source / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"code": 1 }', '"code": 2 }', 1).replace('"1.0.0"', '"1.1.0"'))
    assert await console.publish(await console.packed(source, "risen.mapp")) == 0


async def test_the_server_checks_again_and_answers_with_the_same_findings(console: Console, tmp_path: Path) -> None:
    """A package that a changed tool lets through is refused by the server, with file, line, rule and cure."""
    from tv_apps.miniapps import sign
    from tv_apps.miniapps.check import check_package
    from tv_apps.miniapps.package import Package, open_folder, pack

    source = tmp_path / "guide"
    linli_app("new", source)
    home = source / "pages" / "home.json"
    home.write_text(home.read_text().replace("{row.short}", "{row.shrt}"))
    package = open_folder(source)
    local = [found.to_json() for found in check_package(package).findings]
    signer = sign.read_key(console.key_file)
    envelope = signer.sign(sign.DIGESTS_TYPE, sign.digests_of(package, "cn.example.guide", 1))
    status, answer = await upload(console, package.packed, sign.write_envelope(envelope))
    assert status == 422
    assert isinstance(package, Package) and pack(package.files) == package.packed
    assert [row for row in answer["findings"] if row["level"] == "PROBLEM"] == [  # type: ignore[attr-defined]
        row for row in local if row["level"] == "PROBLEM"
    ]
    (draft,) = await console.apps.desk.store.of_person(console.developer.person_id)
    assert draft.state == "draft"
    assert await console.apps.desk.store.all() == []


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda package, signature: (package, b"not json"), "SIGN-01"),
        (lambda package, signature: (package[:-1] + bytes([package[-1] ^ 1]), signature), "SIGN-05"),
        (lambda package, signature: (b"PK\x03\x04 half a package", signature), "PKG-10"),
        (lambda package, signature: (package, signature.replace(b'"sig": "', b'"sig": "AA')), "SIGN-0"),
    ],
)
async def test_a_broken_upload_is_refused_and_the_next_good_one_passes(
    console: Console, spoil: "object", rule: str
) -> None:
    """Each kind of broken upload has its rule and leaves nothing behind."""
    package = await console.packed(LIBRARY)
    good = package.read_bytes(), package.with_name(package.name + ".sig").read_bytes()
    status, answer = await upload(console, *spoil(*good))  # type: ignore[operator]
    rules = [row["rule"] for row in answer["findings"]]  # type: ignore[attr-defined]
    assert status == 422 and any(found.startswith(rule) for found in rules), json.dumps(answer, ensure_ascii=False)
    assert await console.apps.desk.store.of_person(console.developer.person_id) == []
    assert (await upload(console, *good))[0] == 201


async def test_an_unknown_token_and_an_unregistered_key_are_refused(console: Console, tmp_path: Path) -> None:
    """Who sends is known by the token, who signed by the registered key; both are needed."""
    package = await console.packed(LIBRARY)
    signature = package.with_name(package.name + ".sig")
    status, _ = await upload(console, package.read_bytes(), signature.read_bytes(), token="lld_wrong")
    assert status == 401
    await console.run("keys", "new", "--key", tmp_path / "other.pem")
    assert await console.run("sign", package, "--key", tmp_path / "other.pem") == 0
    status, answer = await upload(console, package.read_bytes(), signature.read_bytes())
    assert status == 422
    assert answer["findings"][0]["rule"] == "SIGN-02"  # type: ignore[index]


async def test_an_app_belongs_to_whoever_published_it_first(console: Console, tmp_path: Path) -> None:
    """Another developer cannot publish a new version of somebody's app."""
    from gateway.store.miniapps import DeveloperKey
    from tv_apps.developer.api import hash_of
    from tv_apps.miniapps import sign

    assert await console.publish(await console.packed(LIBRARY)) == 0
    other = await console.accounts.create_person("wangwei", "dawn-River-lantern-7", roles={"developer"}, area_id=AREA)
    signer = sign.make_key(tmp_path / "other.pem")
    store = console.apps.desk.store
    await store.add_key(DeveloperKey(signer.key_id, other.person_id, signer.public_key, "", console.clock.now()))
    await store.add_token(hash_of("lld_other"), other.person_id, "", console.clock.now())
    package = await console.packed(LIBRARY, "again.mapp")
    assert await console.run("sign", package, "--key", tmp_path / "other.pem") == 0
    signature = package.with_name(package.name + ".sig").read_bytes()
    status, answer = await upload(console, package.read_bytes(), signature, token="lld_other")
    assert status == 422
    assert "SIGN-06" in {row["rule"] for row in answer["findings"]}  # type: ignore[attr-defined]


async def test_only_an_official_decides_and_never_about_an_app_of_their_own(console: Console) -> None:
    """A developer cannot approve; an official who is the developer cannot either."""
    assert await console.publish(await console.packed(LIBRARY)) == 0
    (waiting,) = await console.apps.desk.store.all()
    with pytest.raises(Forbidden):
        await console.apps.desk.approve(console.developer, waiting.submission_id)
    both = await console.accounts.create_person(
        "both", "dawn-River-lantern-7", roles={"developer", "official"}, area_id=AREA
    )
    await console.database.execute(
        "update miniapp_submissions set person_id = $1 where submission_id = $2", both.person_id, waiting.submission_id
    )
    with pytest.raises(Forbidden):
        await console.apps.desk.approve(both, waiting.submission_id)


async def test_a_tampered_package_cannot_even_be_approved(console: Console) -> None:
    """The bytes are verified once more before the platform signs."""
    assert await console.publish(await console.packed(LIBRARY)) == 0
    (waiting,) = await console.apps.desk.store.all()
    await console.database.execute(
        "update miniapp_submissions set package = set_byte(package, 90, get_byte(package, 90) # 1)"
    )
    with pytest.raises(BadInput) as refused:
        await console.apps.desk.approve(console.official, waiting.submission_id)
    assert refused.value.reason == "digest_differs"


async def test_every_step_is_in_the_trail_and_the_trail_cannot_be_changed(console: Console) -> None:
    """Who moved what and when is append-only."""
    submission_id = await console.approved(LIBRARY)
    steps = await console.apps.desk.store.steps(submission_id)
    assert [step.to_state for step in steps] == ["draft", "checked", "in_review", "approved"]
    assert steps[-1].by_name == "陈磊"
    with pytest.raises(BadInput):
        await console.database.execute("delete from miniapp_events")


def test_a_finding_that_is_stored_reads_back_as_itself() -> None:
    """A report in the database can be shown in either language later."""
    from tv_apps.miniapps.findings import from_json

    found = Finding("json_comma", "pages/home.json", 3, 9)
    assert from_json(found.to_json()) == found
    assert from_json({"key": "a rule of another release"}) is None
