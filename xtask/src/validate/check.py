"""Checks the reports in a folder by libraries and schemas of others.

    check.py HOST REPORTS [FINDINGS]

CycloneDX (the report's, and the export's of the lock file) by its own library, GitLab by a schema written from its documentation
(GitLab publishes none), `json` and `jsonl` by the host's own schemas, and the
limits of GitHub Actions by counting. Ends with 1 at the first that is wrong.
"""

import json
import subprocess
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from jsonschema import Draft202012Validator

HOST, REPORTS = sys.argv[1], Path(sys.argv[2])
FINDINGS = int(sys.argv[3]) if len(sys.argv) > 3 else None
SUMMARY = 1 << 20
SOME = 1000


def text(name):
    return (REPORTS / name).read_text(encoding="utf-8")


def schema(name):
    return json.loads(subprocess.run([HOST, "schema", name], check=True, capture_output=True).stdout)


def wrong(what):
    sys.exit(f"wrong: {what}")


# The report, and what is exported of the lock file, where the case has one.
bills = [name for name in ("cyclonedx", "export") if (REPORTS / name).exists()]
for name in bills:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text(name))
    if error is not None:
        wrong(f"{name}: {str(error)[:500]}")
print(f"CycloneDX 1.6: {' and '.join(bills)}: 0 errors")

findings = json.loads(text("gitlab"))
gitlab = Draft202012Validator(json.loads(Path(__file__).with_name("gitlab.schema.json").read_text()))
for error in gitlab.iter_errors(findings):
    wrong(f"gitlab: {error.message[:500]}")
if len({finding["fingerprint"] for finding in findings}) != len(findings):
    wrong("gitlab: two findings have one fingerprint, and would be shown as one")
if FINDINGS is not None and len(findings) != FINDINGS:
    wrong(f"gitlab: {len(findings)} findings")
print(f"GitLab: {len(findings)} findings, 0 errors")

for error in Draft202012Validator(schema("report")).iter_errors(json.loads(text("json"))):
    wrong(f"json: {error.message[:500]}")
events = Draft202012Validator(schema("events"))
lines = text("jsonl").splitlines()
for index, line in enumerate(lines):
    event = json.loads(line)
    # Each is read; of those that are alike by the thousand the first and last are looked at.
    if SOME < index < len(lines) - SOME:
        continue
    for error in events.iter_errors(event):
        wrong(f"jsonl: {error.message[:500]}")
if json.loads(lines[-1])["event"] != "decision":
    wrong("jsonl: the last line is no decision")
print(f"JSON and {len(lines)} lines of JSON: 0 errors")

annotations = text("github").splitlines()
for kind in ("error", "warning", "notice"):
    count = sum(line.startswith(f"::{kind} ") for line in annotations)
    if count > 10:
        wrong(f"github: {count} annotations of type {kind}")
if any(not line.startswith(("::error ", "::warning ", "::notice ")) for line in annotations):
    wrong("github: a line is no annotation")
summary = len(text("markdown").encode())
if summary >= SUMMARY:
    wrong(f"markdown: {summary} bytes")
print(f"GitHub: {len(annotations)} annotations, summary of {summary} bytes")
