"""Starts services of a compose file without containers: the programs of this machine with exactly the
flags, environment, files and directories that the file gives them. Each sees a file system of its own
(this machine's below, its mounts above), all share one network in which every service's name is this
machine. It has to run in namespaces of mounts, network and processes of its own."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import yaml

# What the images bring: the program, and the user that it runs as.
IMAGES = {
    "prom/prometheus": ("prometheus", "65534:65534"),
    "prom/alertmanager": ("prometheus-alertmanager", "65534:65534"),
    "prom/pushgateway": ("prometheus-pushgateway", "65534:65534"),
    "prom/node-exporter": ("prometheus-node-exporter", "65534:65534"),
    "cleanbill": ("cleanbill", "65532:65532"),
}


def run(*command):
    subprocess.run(command, check=True)


class Project:
    """A compose file, what .env says, a directory for what is written, packages that are unpacked and
    not installed, and programs that are in none."""

    def __init__(self, file, variables, work, packages, programs):
        self.directory, self.work, self.programs = file.parent, work, programs
        self.file = interpolate(yaml.safe_load(file.read_text()), variables)
        self.running = {}
        run("mount", "-t", "tmpfs", "tmpfs", str(work))
        # Layers may not lie within each other: not below this machine's root any more.
        self.packages = shutil.copytree(packages, work / "packages", symlinks=True)
        run("ip", "link", "set", "lo", "up")
        names = " ".join(self.file["services"])
        self.hosts = work / "hosts"
        self.hosts.write_text(f"127.0.0.1 localhost {names}\n")
        run("mount", "--bind", str(self.hosts), "/etc/hosts")

    def volume(self, name):
        """The directory that a named volume is."""
        path = self.work / "volumes" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def start(self, name, instead=None):
        """Starts a service. `instead` has other sources of mounts, by target."""
        service = self.file["services"][name]
        program, user = IMAGES[service["image"].rsplit(":", 1)[0]]
        root = self.root(name)
        run("mount", "--bind", str(self.hosts), str(placed(root, "/etc/hosts", is_file=True)))
        binary = f"/usr/bin/{program}"
        if program in self.programs:
            run("mount", "--bind", str(self.programs[program]), str(placed(root, binary, is_file=True)))
        for mount in service.get("volumes", []):
            self.mount(root, mount, user, instead or {})
        for target in service.get("tmpfs", []):
            run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(placed(root, target)))
        if service.get("read_only"):
            run("mount", "-o", "remount,ro,bind", str(root))
        groups = ["--groups=" + ",".join(service["group_add"])] if service.get("group_add") else []
        command = ["chroot", f"--userspec={user}", *groups, str(root), "setpriv", "--no-new-privs", binary, *service["command"]]
        environment = {"PATH": os.environ["PATH"], **image_environment(service), **service.get("environment", {})}
        log = open(self.work / f"{name}.log", "wb")
        self.running[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd="/")
        print(f"   {name}: {shlex.join([program, *service['command']])}"[:200])

    def root(self, name):
        """This machine's files with the packages, and above them a layer for what the service writes."""
        above = self.work / "roots" / name
        for one in ("upper", "work", "root"):
            (above / one).mkdir(parents=True)
        layers = f"lowerdir={self.packages}:/,upperdir={above}/upper,workdir={above}/work"
        run("mount", "-t", "overlay", "-o", layers, "overlay", str(above / "root"))
        return above / "root"

    def mount(self, root, mount, user, instead):
        source, target, *flags = mount.split(":")
        if target in instead:
            source = Path(instead[target])
        elif source.startswith("."):
            source = (self.directory / source).resolve(strict=True)
        elif source.startswith("/"):
            source = Path(source)
        else:
            assert source in self.file["volumes"], f"{source} is no volume of the file"
            source = self.volume(source)
            run("chown", "-R", user, str(source))
        assert source.exists(), f"{source} does not exist"
        place = placed(root, target, is_file=not source.is_dir())
        run("mount", "--bind", str(source), str(place))
        if flags == ["ro"]:
            run("mount", "-o", "remount,ro,bind", str(place))

    def log(self, name):
        return (self.work / f"{name}.log").read_text(errors="replace")


def placed(root, target, is_file=False):
    """A place in the service's file system to mount something on."""
    place = inside(root, target)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch() if is_file else place.mkdir(exist_ok=True)
    return place


def inside(root, target):
    """Where a path leads that starts in the service's file system: its links start there too."""
    place, parts = root, list(Path(target).parts[1:])
    while parts:
        place = place / parts.pop(0)
        if place.is_symlink():
            link = place.readlink()
            parts = [*(link.parts[1:] if link.is_absolute() else link.parts), *parts]
            place = root if link.is_absolute() else place.parent
            assert ".." not in parts, f"{target}: a link leads upwards"
    return place


def image_environment(service):
    """What the Dockerfile sets, for what it builds."""
    if "build" not in service:
        return {}
    lines = re.findall(r"(?m)^ENV (.*)$", Path("Dockerfile").read_text())
    return dict(pair.split("=", 1) for pair in lines[-1].split())


def interpolate(thing, variables):
    """Variables as compose has them: $$, ${A}, ${A:-default}, ${A:?message}."""
    if isinstance(thing, dict):
        return {key: interpolate(value, variables) for key, value in thing.items()}
    if isinstance(thing, list):
        return [interpolate(one, variables) for one in thing]
    if not isinstance(thing, str):
        return thing

    def value(found):
        if found.group(0) == "$$":
            return "$"
        name, kind, rest = found.group(1), found.group(2), found.group(3)
        if variables.get(name):
            return variables[name]
        assert kind != ":?", f"{name}: {rest}"
        return rest or ""

    return re.sub(r"\$\$|\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", value, thing)
