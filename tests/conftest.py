"""What several test files share."""

import pytest
from hypothesis import settings

# The same examples at every run, however slow the machine: a failure is never a matter of luck.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def scales(tmp_path_factory):
    """A folder of 40 different tunes that a small network learns in seconds."""
    folder = tmp_path_factory.mktemp("scales")
    notes = "CDEFGABc"
    for number in range(40):
        run = "".join(notes[(number + step) % 8] for step in range(8))
        key, last = "CGDFA"[number // 8], notes[number % 7]
        text = f"X:1\nT:Tune\nM:4/4\nL:1/8\nK:{key}\n|:{run}|{last}4c4:|\n"
        (folder / f"{number:02}.abc").write_text(text)
    return folder
