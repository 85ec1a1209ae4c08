import json
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from agent.cli.commands import main
from agent.derive.sample import Sample
from agent.testing.check.heard import Spoken
from agent.testing.check.report import Report
from agent.testing.check.said import Said
from agent.testing.check.voices import Voice

SLT, EN = Voice("flite slt", "natural"), Voice("espeak-ng en-us", "robotic")

GOOD = '@skill("water the (lawn|roses)")\ndef water() -> Reply: ...\n'
BAD = '@skill("give anna ten dollars")\ndef gift() -> Reply: ...\n'


def sample(template):
    return Sample("a.b", template, "en", template, {})


def report(heard=(), **more):
    found = [sample("one"), sample("two")]
    return Report(
        {},
        {("a.b", "en", s.template): [s] for s in found},
        said=[Said(s, "") for s in found],
        heard=list(heard),
        **more,
    )


def takes(*wrongs, voice=SLT, snr_db=None, template="one"):
    return [Spoken(sample(template), voice, snr_db, "", wrong) for wrong in wrongs]


def cases(made, suite):
    tree = ElementTree.fromstring(made.junit())
    return {
        case.get("name"): next((child.tag for child in case), "passed")
        for case in tree.find(f"testsuite[@name='{suite}']")
    }


def test_only_natural_voices_in_quiet_decide():
    heard = [
        *takes("", ""),
        *takes("not recognised", voice=EN),
        *takes("not recognised", snr_db=12.0),
        *takes("", template="two"),
    ]
    assert report(heard).failures() == []
    assert report(heard).heard_share() == 1.0


def test_too_few_arrive():
    heard = [*takes("", "x.y none"), *takes("", "", template="two")]
    assert report(heard, min_heard=0.75).failures() == []
    assert report(heard).failures() == ["heard: 75.0% of natural voices in quiet arrived; 90% must"]
    assert cases(report(heard), "heard")["natural voices in quiet"] == "failure"


def test_a_template_that_nobody_gets_across_fails_whatever_the_share():
    heard = [*takes("x.y none"), *takes(*[""] * 50, template="two")]
    (failure,) = report(heard).failures()
    assert "“one” of a.b" in failure
    assert cases(report(heard), "heard") == {
        "en: one": "failure",
        "en: two": "passed",
        "natural voices in quiet": "passed",
    }


def test_what_is_taken_for_a_payment_is_told_and_in_quiet_fails():
    twenty = "pay.pay amount=20 payee=anna"
    good = [*takes(*[""] * 50), *takes("", template="two")]
    noisy = report([*good, *takes(twenty, snr_db=12.0)], paying=["pay.pay"])
    assert [h.wrong for h in noisy.taken_for_payments()] == [twenty]
    assert noisy.failures() == []
    (failure,) = report([*good, *takes(twenty)], paying=["pay.pay"]).failures()
    assert "taken for a payment" in failure


def test_not_heard_is_skipped_and_never_passed():
    made = report(not_heard="no natural voice: sudo apt install flite")
    assert made.failures() == []
    assert set(cases(made, "heard").values()) == {"skipped"}
    assert made.as_json()["heard"]["not_run"].startswith("no natural voice")


def test_junit_counts_what_it_holds_and_stands_control_characters():
    made = report()
    made.said[0] = Said(sample("one"), "nul \x00 and <tag>")
    suite = ElementTree.fromstring(made.junit()).find("testsuite[@name='said']")
    assert {k: suite.get(k) for k in ("tests", "failures", "errors", "skipped")} == {
        "tests": "2",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
    }


# -- the command --------------------------------------------------------------------------------


@pytest.fixture
def glasses(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    def glasses(*words):
        return CliRunner().invoke(main, ["test", *map(str, words)])

    return glasses


def test_a_good_plugin_passes(glasses, write, tmp_path):
    done = glasses(write("garden", GOOD), "--only", "said,clashes", "--junit", tmp_path / "j.xml")
    assert done.exit_code == 0, done.output
    assert "garden.water" in done.output
    assert "passed" in done.output
    assert "pay.pay" not in done.output
    tree = ElementTree.parse(tmp_path / "j.xml")
    assert [suite.get("name") for suite in tree.getroot()] == ["said", "clashes"]


def test_a_bad_plugin_fails_and_both_owners_are_named(glasses, write):
    done = glasses(write("gifts", BAD), "--only", "clashes")
    assert done.exit_code == 1
    assert "gifts.gift" in done.output
    assert "pay.pay" in done.output


def test_json_has_everything(glasses, write):
    done = glasses(write("gifts", BAD), "--only", "said,clashes", "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert not found["passed"]
    assert found["said"]["wrong"][0]["was"].startswith("pay.pay")
    clash = found["clashes"][0]
    assert (clash["kind"], clash["money"], clash["fatal"]) == ("overlap", True, True)


def test_without_voices_heard_is_not_run_and_says_so(glasses, write, monkeypatch):
    path = write("garden", GOOD)
    monkeypatch.setenv("PATH", "")
    done = glasses(path, "--only", "heard")
    assert done.exit_code == 0
    assert "not run" in done.output
    assert "sudo apt install flite" in done.output


def test_an_installed_skill_is_tested_by_name(glasses):
    done = glasses("pay", "--only", "said", "--samples", "3")
    assert done.exit_code == 0, done.output
    assert "pay.history" in done.output
    assert "music.play" not in done.output


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("nosuch",), "nosuch"),
        (("--only", "smelt"), "smelt: it can be said, heard, clashes"),
        (("--snr", "loud"), "--snr loud"),
        (("--samples", "0"), "--samples 0"),
        (("pay", "--noise", "/nosuch", "--only", "heard"), "--noise /nosuch"),
        (("pay", "--only", "said", "--samples", "1", "--junit", "/nosuch/x.xml"), "/nosuch/x.xml"),
    ],
)
def test_what_cannot_be_is_one_line(glasses, words, reason):
    done = glasses(*words)
    assert done.exit_code == 1
    assert reason in done.output
    assert len(done.output.strip().splitlines()) == 1
