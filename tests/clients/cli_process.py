"""Runs inside the Python of the aws CLI: one process that runs `aws SERVICE WORDS` for each line of JSON it reads.

A line is `["describe-images", …]`; the answer is `{"status": …, "out": …, "err": …}`. Each call makes the CLI's driver
anew, as a process of its own would, without the imports that are most of such a process's time.
"""

import contextlib
import io
import json
import sys
from typing import Any

import awscli.clidriver


def main() -> None:
    """Answer line by line until there is no more; the argument is the service."""
    service = sys.argv[1]
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run([service, *json.loads(line)])) + "\n")
        sys.stdout.flush()


def run(words: list[str]) -> dict[str, Any]:
    """Run the CLI's own main and answer what it would leave behind."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    sys.argv = ["aws", *words]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = awscli.clidriver.main()
        except SystemExit as end:
            status = end.code
    return {"status": status, "out": _text(out), "err": _text(err)}


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    written: Any = stream.buffer
    return str(written.getvalue().decode())


if __name__ == "__main__":
    main()
