"""One JSON line in, one JSON line out: how the benchmarks talk to a tool.

Every tool runs in a process of its own, with the packages of its own environment,
and answers one request at a time. The processes live through a whole run, so that
the tools take turns on the same points and a busy moment of the machine hits all of
them. This file is imported by the tools' side too: the standard library only.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

Request = dict[str, Any]
Reply = dict[str, Any]


def serve(operations: Mapping[str, Callable[[Request], Reply]]) -> None:
    """Answer requests from stdin until it closes.

    A failing operation is an answer too: ``{"error": "ValueError: ..."}``. Whatever
    a tool prints goes to stderr, as stdout belongs to the answers.

    Args:
        operations: what to call for the value of a request's ``op``.
    """
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        reply = _answer(operations, request)
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


def _answer(
    operations: Mapping[str, Callable[[Request], Reply]], request: Request
) -> Reply:
    try:
        return operations[request["op"]](request)
    except Exception as error:
        text = " ".join(str(error).split())
        return {"error": f"{type(error).__name__}: {text[:300]}"}


class Tool:
    """A tool's process, started with its own interpreter.

    Args:
        python: the interpreter of the tool's environment.
        script: the file beside this one that serves the tool's operations.
        log: where the tool's stderr goes.
    """

    def __init__(self, python: Path, script: str, log: Path) -> None:
        self.log = log
        with log.open("w", encoding="utf-8") as stderr:
            self._process = subprocess.Popen(
                [python, Path(__file__).with_name(script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )

    def ask(self, op: str, **request: Any) -> Reply:
        """Send one request and wait for its answer.

        Returns:
            the answer, or ``{"error": ...}`` if the process is gone.
        """
        try:
            line = self._exchange(json.dumps({"op": op, **request}))
        except BrokenPipeError:
            line = ""
        if not line:
            code = self._process.wait()
            return {"error": f"the process ended with code {code}, see {self.log}"}
        return json.loads(line)

    def _exchange(self, line: str) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(line + "\n")
        stdin.flush()
        return stdout.readline()

    def close(self) -> None:
        """Let the process end, if it is still there."""
        with suppress(BrokenPipeError):
            self._process.communicate()
