"""A plugin of pytest: a line of JSON for each test and how it went, into the file that QUORATE_PYTEST_REPORT names."""

import json
import os

_verdicts = {}


def pytest_runtest_logreport(report):
    kept = _verdicts.setdefault(report.nodeid, {"test": report.nodeid, "outcome": "passed", "seconds": 0.0, "why": ""})
    kept["seconds"] += report.duration
    if report.failed:
        kept["outcome"] = "failed"
        kept["why"] += "%s: %s\n" % (report.when, report.longreprtext)
        # The logs, and those of the servers that kazoo's own conftest adds to them.
        kept["why"] += "\n".join("%s\n%s" % (title, text[-6000:]) for title, text in report.sections)
    elif report.skipped and kept["outcome"] == "passed":
        kept["outcome"] = "skipped"
        kept["why"] = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if report.when == "teardown":
        with open(os.environ["QUORATE_PYTEST_REPORT"], "a") as lines:
            lines.write(json.dumps(_verdicts.pop(report.nodeid)) + "\n")
