"""``baton doctor``: says what works here, what does not, and what to do."""

from __future__ import annotations

import click

from gitbaton.cli.doctor.examination import Examination
from gitbaton.cli.doctor.printing import finding_document, print_findings
from gitbaton.cli.errors import DONE, FORBIDDEN, REFUSED
from gitbaton.cli.request import Request
from gitbaton.cli.verb import verb


@verb("doctor")
@click.option("--agent", metavar="P", help="Also check this agent: a profile, or a command.")
@click.option("--no-probe", is_flag=True, help="Write nothing to the remote, not even to try.")
def command(request: Request, agent: str | None, no_probe: bool) -> int:
    """Say what works here, what does not, and what to do about it.

    Looks at this machine, the clone, the records, the configuration and what waits. What the git
    host allows is found out by trying, on refs that nobody uses and that are removed again.
    Exit status: 0 without a problem, 1 with one, 77 where the host refuses everything.
    """
    examination = Examination(
        request.env,
        lambda: request.app,
        agent=agent,
        probing=not no_probe,
        told=request.output.detail,
    )
    examination.run()
    document = {
        "findings": [finding_document(finding) for finding in examination.findings],
        "host": examination.host,
    }
    request.output.answer(document, lambda out: print_findings(out, examination.findings))
    if examination.refused:
        return FORBIDDEN
    return DONE if examination.sound else REFUSED
