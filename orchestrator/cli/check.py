"""`orch validate` and `orch schema`: nothing is started and nothing is written."""

import sys
from contextlib import redirect_stdout
from pathlib import Path

import click

from orchestrator.cli.options import ReadOptions, file_argument, import_option, json_option, read_options


@click.command()
@file_argument
@read_options
@json_option
def validate(file: Path, reading: ReadOptions, as_json: bool) -> int:
    """Check the sweep in FILE: the file itself, its space against the trainable's config, and what lint says."""
    import json

    from orchestrator.cli.advice import not_checked, warn
    from orchestrator.cli.lint import faults_json
    from orchestrator.errors import ExitCode, SpecError
    from orchestrator.sweeps.checks import check_file
    from orchestrator.sweeps.lint.judge import lint
    from orchestrator.sweeps.lint.question import Question

    try:
        # A module may print while it is imported.
        with redirect_stdout(sys.stderr):
            checked = check_file(file, overrides=reading.overrides, directory=Path.cwd(), imports=reading.imports)
    except SpecError as error:
        if not as_json:
            raise
        click.echo(json.dumps(faults_json(error), indent=2))
        return int(error.exit_code)
    spec, report = checked.spec, lint(Question.of(checked))
    if as_json:
        told = {"name": spec.name, "parameters": len(spec.space), "lint": report.to_json()}
        told["config_checked"] = checked.is_config_checked
        click.echo(json.dumps({"valid": not report.is_refused, "faults": [], **told}, indent=2))
        return ExitCode.USAGE if report.is_refused else ExitCode.DONE
    warn(report, file)
    parameters = "1 parameter" if len(spec.space) == 1 else f"{len(spec.space)} parameters"
    trials = "1 trial" if spec.budget.trials == 1 else f"{spec.budget.trials} trials"
    click.echo(f"{file}: valid, {parameters}, {trials} of {spec.trainable}{not_checked(checked)}")
    return 0


@click.command()
@click.argument("trainable", required=False)
@import_option
def schema(trainable: str | None, imports: bool) -> int:
    """Print the JSON Schema of sweep files, or of the config of TRAINABLE."""
    import json

    from orchestrator.spec import json_schema

    if trainable is None:
        click.echo(json.dumps(json_schema(), indent=2))
        return 0
    from orchestrator.sweeps.checks import config_schema

    click.echo(json.dumps(config_schema(trainable, directory=Path.cwd(), imports=imports), indent=2))
    return 0
