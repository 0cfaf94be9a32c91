"""Checks that every call of cleanbill in the templates and their manual has flags that the program has."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

FILES = ["action.yml", ".github/workflows/*.yml", "Jenkinsfile", "deploy/ci/**/*", "docs/pipelines.md", "docs/monitoring.md"]
# Where people are told: the verdict reaches them, and what is built anew with each commit is one series.
TEMPLATES = [".github/workflows/vulnerability-scan.yml", "Jenkinsfile", "deploy/ci/azure/*", "deploy/ci/circleci/*", "deploy/ci/gitlab/*",
             "deploy/ci/jenkins/vars/*", "deploy/ci/tekton/*"]
ARGUMENTS = re.compile(r"\barguments\+?=\((.*)\)")
COMMAND = re.compile(r"\bcleanbill\"?,? ((?:scan|gate|metrics|notify|comment)\b[^\n]*)")


def main():
    program, count, faults = sys.argv[1], 0, []
    for path in sorted(found for pattern in FILES for found in Path().glob(pattern) if found.is_file()):
        for words in calls(path):
            count += 1
            faults += [f"{path}: {fault}: cleanbill {' '.join(words)}" for fault in check(program, words)]
    templates = sorted(found for pattern in TEMPLATES for found in Path().glob(pattern))
    faults += [f"{path}: {fault}" for path in templates for fault in told(path.read_text())]
    if faults:
        sys.exit("\n".join(["FAILED: flags", *faults]))
    print(f"ok: {count} calls of cleanbill have flags that it has; {len(templates)} templates tell verdict and series")


def told(text):
    if not re.search(r"image-label|IMAGE_LABEL", text):
        yield "each commit is a series of its own: no --image-label"
    if "pull-requests" not in text and "tekton" not in text:
        yield "pull requests are counted among the branches"
    if text.count("--verdict") + text.count("--policy") < 2 and text.count("verdict") < 4:
        yield "the verdict reaches nobody"


def calls(path):
    text = path.read_text().replace("\\\n", " ")
    given = []
    for line in text.splitlines():
        for found in ARGUMENTS.findall(line):
            given = ([] if re.search(r"\barguments=", line) else given) + found.split()
        if line.lstrip().startswith(("#", "//", "*", "echo")):
            continue
        for found in COMMAND.findall(line):
            found = re.split(r"\s(?:\|\||&&|\||#)\s|'\)?\s*(?:\+|$)|`|;|\$\(\[", found)[0]
            words = found.replace('"', "").replace("'", "").split()
            yield words + (given if "${arguments[@]}" in words else [])
    if path.name == "task.yaml":
        for step in yaml.safe_load(text)["spec"]["steps"]:
            yield [str(one) for one in step["args"]]


def check(program, words):
    depth = 2 if words[0] in ("metrics", "comment") or words[:2] in (["notify", "list"],) else 1
    known = flags(program, tuple(words[:depth]))
    if known is None:
        yield "there is no such command"
        return
    for word in words:
        name = word.rstrip(",").split("=")[0]
        if re.fullmatch(r"--[a-z-]+|-[a-z]", name) and name not in known:
            yield f"there is no {name}"


def flags(program, command, cache={}):
    """The flags of a command with their aliases; nothing if there is no such command."""
    if command not in cache:
        done = subprocess.run([program, *command, "--help"], capture_output=True, text=True)
        cache[command] = None if done.returncode else defined(done.stdout)
    return cache[command]


def defined(help_text):
    """Flags that stand at the begin of their entry, and those that are named as aliases."""
    names = set(re.findall(r"(?m)^ +(?:-[a-z], )?(--[a-z-]+)", help_text)) | set(re.findall(r"(?m)^ +(-[a-z]), --", help_text))
    for line in re.findall(r"\[alias(?:es)?: ([^\]]*)\]", help_text):
        names |= set(line.split(", "))
    return names


main()
