import io

from imbclf.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_in_a_terminal_one_line_is_rewritten_and_messages_stand_above_it():
    progress = Progress(4, "subjects", stream := Terminal())
    progress.step()
    progress.say("failed: b")
    for _ in range(3):
        progress.step()
    shown = stream.getvalue()
    assert shown.startswith("\r\x1b[2K[######..................] 1 of 4 subjects")
    assert "\r\x1b[2Kfailed: b\n" in shown
    assert shown.endswith("[########################] 4 of 4 subjects, 0 s left\n")
    assert shown.count("\n") == 2


def test_a_terminal_is_not_flooded():
    progress = Progress(1000, "subjects", stream := Terminal())
    for _ in range(1000):
        progress.step()
    assert stream.getvalue().count("\r") < 20


def test_elsewhere_there_is_a_line_for_every_tenth():
    progress = Progress(95, "subjects", stream := io.StringIO())
    for _ in range(95):
        progress.step()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("10 of 95 subjects, ")
    assert lines[-1].startswith("95 of 95 subjects, ")
