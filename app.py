"""TransXNet Lens: builds the page and launches it. `python app.py --help` lists the options."""

from __future__ import annotations

import os

if "OMP_WAIT_POLICY" not in os.environ:  # what transxnet.console.limit_spinning sets: importing it would load torch
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")

from demo import command

if __name__ == "__main__":
    options = command.arguments()
    with command.page_process():
        from demo.launch import build, check_address, launch

        check_address(options)
        built = build(options)
        page = built.blocks  # a Space looks for the Blocks object here
        launch(built, options)  # ends with Ctrl-C
