# SPDX-License-Identifier: GPL-2.0-only
"""LAVA's own code on our job definitions, under the Python that its packages are for.

    lavarun.py LAVA schema JOB...       print what its schema has against each
    lavarun.py LAVA run JOB FOLDER      run one on this machine's QEMU, as a worker of a farm does

The results of its test cases go to standard output, LAVA's own log to standard error.
"""
import json
import logging
import sys
import types
from pathlib import Path

root, verb, *names = sys.argv[1:]
sys.path.insert(0, f"{root}/usr/lib/python3/dist-packages")
# A large library that edits disk images: there are none in our jobs.
sys.modules["guestfs"] = types.ModuleType("guestfs")

import jinja2  # noqa: E402
import yaml  # noqa: E402
from lava_common import constants, schemas  # noqa: E402
from lava_common.log import YAMLLogger  # noqa: E402


def complaint(name):
    try:
        schemas.validate(yaml.safe_load(Path(name).read_text()))
    except schemas.Invalid as err:
        return f"{name}: {err}"
    return None


class Results(logging.Handler):
    def emit(self, record):
        line = yaml.safe_load(record.getMessage())
        # LAVA reports its own steps in the same way.
        if line["lvl"] == "results" and line["msg"]["definition"] != "lava":
            print(json.dumps([line["msg"]["case"], line["msg"]["result"]]))


def execute(job, folder):
    # Its modules keep what they find there: before them.
    constants.DISPATCHER_DOWNLOAD_DIR = folder
    from lava_dispatcher.device import NewDevice
    from lava_dispatcher.parser import JobParser

    # The device as the server describes it to a worker.
    types_of = jinja2.FileSystemLoader(f"{root}/usr/share/lava-server/device-types")
    device = jinja2.Environment(loader=types_of, trim_blocks=True).get_template("qemu.jinja2")
    text = Path(job).read_text()
    logging.setLoggerClass(YAMLLogger)
    logger = logging.getLogger("dispatcher")
    logger.addHandler(logging.StreamHandler())
    logger.addHandler(Results())
    (Path(folder) / "device.yaml").write_text(device.render(**yaml.safe_load(text)["context"]))
    with open(Path(folder) / "device.yaml", encoding="utf-8") as file:
        made = JobParser().parse(text, NewDevice(file), "1", logger=logger,
                                 dispatcher_config=None)
    made.validate()
    made.run()


if verb == "schema":
    sys.exit("\n".join(filter(None, map(complaint, names))) or None)
execute(*names)
