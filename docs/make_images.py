"""Draw the README's pictures from a real sweep: the live table as SVG, MLflow's page as PNG.

Needs the `docs` extra, Debian's chromium and chromium-driver, and a finished sweep in ORCH_HOME.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

IMAGES = Path(__file__).resolve().parent / "images"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,900",
)

CLICKS = {"mlflow": [(1404, 65), (319, 305)]}
"""Where to click on a page before its picture is taken: close the assistant, unfold the sweep's trials."""


def draw_live_table(file: str) -> None:
    """Run a sweep in this process and keep its table from the moment when most trials have ended."""
    from rich.console import Console

    from orchestrator.cli.watch import Silent, render
    from orchestrator.execution.clock import Clock
    from orchestrator.execution.ray_tune import RayRunner
    from orchestrator.sweeps.checks import check_file
    from orchestrator.sweeps.drive import Surroundings, launch
    from orchestrator.sweeps.paths import Home

    kept = []

    class Photographer(Silent):
        def watch(self, progress):
            self.progress = progress
            return super().watch(progress)

        def event(self, event):
            now = self.progress()
            if event.kind == "measured" and 0.5 < now.num_ended / now.limit < 0.8 and len(now.running) > 1:
                kept.append(render(now))

    with tempfile.TemporaryDirectory() as home:
        around = Surroundings(
            home=Home(Path(home)),
            runner=lambda paths: RayRunner(address=None, tune_folder=paths.tune),
            watcher=Photographer(),
            clock=Clock(),
            directory=Path.cwd(),
        )
        launch(check_file(Path(file), directory=Path.cwd()), around, name=None, sweep_id="picture")
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=118, file=nowhere, force_terminal=True, highlight=False)
        console.print(kept[-1])
        picture = console.export_svg(title=f"orch sweep {file}")
    # Rich's fonts come from the network; any monospace font will do.
    (IMAGES / "sweep.svg").write_text(re.sub(r"@font-face \{.*?\}\n", "", picture, flags=re.DOTALL))


def draw_mlflow(home: Path, *, sweep: str, port: int) -> None:
    """Take a picture of the sweep's runs in MLflow."""
    from selenium import webdriver
    from selenium.webdriver.common.actions.action_builder import ActionBuilder

    command = [sys.executable, "-m", "orchestrator", "ui", "--home", str(home), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health")
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
        for name, page in _pages(home, sweep).items():
            browser.get(f"http://127.0.0.1:{port}/{page}")
            time.sleep(12)
            for position in CLICKS.get(name, ()):
                ActionBuilder(browser).clear_actions()
                click = ActionBuilder(browser)
                click.pointer_action.move_to_location(*position).click()
                click.perform()
                time.sleep(3)
            browser.save_screenshot(str(IMAGES / f"{name}.png"))
        browser.quit()
    finally:
        server.terminate()
        server.wait()


def _pages(home: Path, sweep: str) -> dict[str, str]:
    from mlflow import MlflowClient

    from orchestrator.sweeps.paths import Home
    from orchestrator.sweeps.read import show

    summary = show(Home(home), sweep)
    client = MlflowClient(Home(home).tracking_uri)
    experiment = client.get_run(summary.sweep.parent_run_id).info.experiment_id
    return {
        "mlflow": f"#/experiments/{experiment}/runs",
    }


def _wait_for(url: str) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"{url} does not answer")


def main() -> None:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["table", "mlflow"])
    parser.add_argument("--file", default="search_spaces/multitask.yaml")
    parser.add_argument("--home", type=Path, default=Path(".orch"))
    parser.add_argument("--sweep", default="multitask-clip-1")
    parser.add_argument("--port", type=int, default=5055)
    options = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    if options.what == "table":
        draw_live_table(options.file)
    else:
        draw_mlflow(options.home, sweep=options.sweep, port=options.port)


if __name__ == "__main__":
    main()
