"""The pytest plugin in somebody else's project: their own pytest, nothing of ours but the wheel."""

import pytest

pytestmark = pytest.mark.slow  # pytest in pytest

pytest_plugins = ["pytester"]

WALK = '''
"""Walks."""
from agent import Reply, hookimpl, skill


@skill("how far is {distance} miles")
def far(distance: int) -> Reply:
    """Tell how long a walk takes."""
    return Reply(f"about {distance * 20} minutes")


@hookimpl
def register_skills(register):
    register(far)
'''


@pytest.fixture
def project(pytester):
    pytester.makepyfile(walk=WALK)
    pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    return pytester


def run(project, *options):
    # Without the plugins that our own tests use: pytest and the project are enough.
    return project.runpytest_subprocess("-p", "no:asyncio", "-p", "no:timeout", *options)


def test_a_project_of_somebody_else(project):
    project.makepyfile(
        """
        import pytest

        pytestmark = pytest.mark.glasses("walk.py")

        def test_it_answers(ask):
            ask("how far is 3 miles").calls("walk.far", distance=3).shows("60 minutes")

        def test_aloud(ask, clock):
            ask.aloud("how far is 3 miles").shows("60 minutes").then("play music").plays()
            assert clock.time() > 1

        def test_it_fails(ask):
            ask("how far is 4 miles").shows("60 minutes")

        def test_a_model(model):
            model.replies.append("yes")

        @pytest.mark.glasses(colour="red")
        def test_a_wrong_option(ask):
            pass

        @pytest.mark.glasses("nowhere.py")
        def test_a_wrong_plugin(ask):
            pass
        """
    )
    result = run(project)
    result.assert_outcomes(passed=3, failed=1, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*UsageError*colour*",
            "*plugin nowhere.py cannot be loaded: there is no file nowhere.py*",
            ">*ask(*how far is 4 miles*).shows(*",
            "E*AssertionError: the lens does not show '60 minutes'",
            "E *said * how far is 4 miles",
            "E *meant * walk.far(distance=4)",
            "E *lens *╭*╮",
            "E *│ about 80 minutes *│",
        ]
    )
    result.stdout.no_fnmatch_line("*conversation.py*")


def test_goldens_are_written_and_compared_beside_the_test(project):
    project.makepyfile(
        """
        import pytest
        import walk

        @pytest.fixture
        def glasses_plugins():
            return [walk]

        def test_it_looks_right(ask, lens_golden):
            ask("how far is 3 miles")
            lens_golden("walk")
            lens_golden("walk", kind="text")
        """
    )
    project.makeconftest(
        "import sys, pathlib; sys.path.insert(0, str(pathlib.Path(__file__).parent))"
    )
    run(project, "--update-goldens").assert_outcomes(passed=1)
    text = (project.path / "golden" / "walk.txt").read_text(encoding="utf-8")
    assert "│ about 60 minutes" in text
    assert (project.path / "golden" / "walk.png").is_file()
    (project.path / "golden" / "walk.txt").write_text("another\n", encoding="utf-8")
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*look at *walk.actual.txt*--update-goldens*"])


def test_it_is_light_and_gets_along_with_another_plugin_that_has_the_same_option(project):
    project.makepyfile(
        other="""
        def pytest_addoption(parser):
            parser.addoption("--update-goldens", action="store_true")
        """,
        test_it="""
        import sys

        def test_it():
            assert not {"agent.loop", "hassil", "PIL"} & set(sys.modules)
        """,
    )
    run(project, "-p", "other").assert_outcomes(passed=1)
