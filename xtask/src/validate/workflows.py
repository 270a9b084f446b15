"""Checks what CI systems read, and runs what they would run.

    workflows.py HOST ROOT FOLDER

`action.yml`, `.pre-commit-hooks.yaml`, the files that HOST's `init --ci` writes and the YAML in
the pages under `docs/`: by the schemas of the CI systems, by zizmor and by pre-commit's own
validators; every script in them by shellcheck. Then the hook is run by pre-commit, and the scripts
of the action, the workflow and the GitLab file by the shells that run them there. Ends with 1 at
the first that is wrong. FOLDER is emptied first.
"""

import functools
import hashlib
import http.server
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import yaml

HOST, ROOT, FOLDER = (Path(argument).absolute() for argument in sys.argv[1:4])
TOOLS = Path(sys.executable).parent
SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
FILES = {
    "github": ".github/workflows/modelhost.yml",
    "gitlab": ".gitlab/modelhost.yml",
    "pre-commit": ".pre-commit-config.yaml",
}
# What a page leaves to its reader.
LEFT = {"<commit>": "0a" * 20, "<sha256>": "0a" * 32}


def wrong(what):
    sys.exit(f"wrong: {what}")


def run(command, expected=0, **more):
    """Runs a program, and returns what it said; wrong where it ends with another code."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **more,
    )
    if done.returncode != expected:
        shown = " ".join(str(word) for word in command)
        wrong(f"`{shown}` ended with {done.returncode}, not {expected}: {done.stdout.strip()}")
    return done.stdout


def tool(name, *arguments, **more):
    return run([TOOLS / name, *arguments], **more)


def environment(**more):
    """The environment of a job: nothing of this machine but where programs are."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(FOLDER / "home"),
        "CI": "true",
        "GIT_CONFIG_NOSYSTEM": "1",
        "MODELHOST_CACHE_DIR": str(FOLDER / "cache"),
        "MODELHOST_CACHE_KEY": "validate",
        **{name: str(value) for name, value in more.items()},
    }


def git(folder, *arguments):
    who = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    return run(["git", *who, *arguments], cwd=folder, env=environment())


def repository(name, models):
    """Makes a repository on the branch `main`, whose remote is at the same commit."""
    folder = FOLDER / name
    clean = ROOT / "examples/clean-safetensors/models/sentiment/model.safetensors"
    for model in models:
        (folder / model).mkdir(parents=True)
        shutil.copy(clean, folder / model)
    git(folder, "init", "-q", "-b", "main")
    return folder


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "models")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")


def modelhost(folder, *arguments, expected=0):
    return run([HOST, *arguments], expected, cwd=folder, env=environment())


def change(weights):
    """Changes one byte of a model's weights."""
    before = weights.read_bytes()
    weights.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))


def of_pages():
    """Writes the YAML of the pages under the names that their first lines give."""
    written = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        blocks = re.findall(r"^```ya?ml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for index, block in enumerate(blocks):
            named = re.match(r"# (\S+)\n", block)
            if named is None:
                wrong(f"{page.name}: YAML whose first line does not name its file: {block[:60]}")
            for mark, value in LEFT.items():
                block = block.replace(mark, value)
            path = FOLDER / "pages" / f"{page.stem}-{index}" / named[1]
            path.parent.mkdir(parents=True)
            path.write_text(block, encoding="utf-8")
            written.append(path)
    return written


def system(path):
    """The CI system that reads a file of this name."""
    if path.name == ".pre-commit-config.yaml":
        return "pre-commit"
    if ".github" in path.parts:
        return "github"
    if ".gitlab" in path.parts or path.name == ".gitlab-ci.yml":
        return "gitlab"
    return wrong(f"{path}: no CI system reads a file of this name")


def scripts(path):
    """The scripts in a file: a name, the shell it is for, the text, the variables it is given."""
    of = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "runs" in of:
        jobs = {"action": of["runs"]}
    elif "jobs" in of:
        jobs = of["jobs"]
    else:
        for name, job in of.items():
            if isinstance(job, dict) and "script" in job:
                lines = [job.get("before_script", []), job["script"]]
                lines = [[part] if isinstance(part, str) else part for part in lines]
                yield name, "sh", "\n".join(lines[0] + lines[1]) + "\n", []
        return
    for job in jobs.values():
        for step in job["steps"]:
            if "run" in step:
                name, shell = step.get("name", "a step"), step.get("shell", "bash")
                yield name, shell, step["run"], list(step.get("env", {}))


def written():
    """What `init` writes, in a repository of its own."""
    folder = repository("made", ["models/a"])
    for name, path in FILES.items():
        modelhost(folder, "init", "--ci", name)
        if not (folder / path).is_file():
            wrong(f"init --ci {name} wrote no {path}")
        modelhost(folder, "init", "--check", "--ci", name)
    return folder, [folder / path for path in FILES.values()]


def validate(made):
    pages = of_pages()
    action, manifest = ROOT / "action.yml", ROOT / ".pre-commit-hooks.yaml"
    schema = functools.partial(tool, "check-jsonschema", "--builtin-schema")
    schema("vendor.github-actions", action)
    tool("pre-commit", "validate-manifest", manifest, env=environment())
    for path in made + pages:
        if system(path) == "pre-commit":
            tool("pre-commit", "validate-config", path, env=environment())
        else:
            schema(SCHEMAS[system(path)], path)
    hold = f"{len(made)} written and {len(pages)} in pages hold to their schemas"
    print(f"action.yml, .pre-commit-hooks.yaml, {hold}")

    audited = [path for path in made + pages if system(path) == "github"]
    tool("zizmor", "--offline", "--pedantic", "--no-progress", "--quiet", action, *audited)
    print(f"zizmor, pedantic: 0 findings in {1 + len(audited)} files")

    count = 1
    tool("shellcheck", ROOT / ".ci/run")
    for path in [action, *made, *pages]:
        if path.name == ".pre-commit-config.yaml":
            continue
        for name, shell, text, given in scripts(path):
            script = FOLDER / "scripts" / f"{count}.{shell}"
            script.parent.mkdir(exist_ok=True)
            given = "".join(f': "${{{variable}?}}"\n' for variable in given)
            script.write_text(f"# {path.name}: {name}\n{given}{text}", encoding="utf-8")
            tool("shellcheck", "--shell", shell, script)
            count += 1
    print(f"shellcheck: 0 findings in {count} scripts")


def hook():
    """Commits by way of pre-commit: what `init` writes, and the manifest of this repository."""
    bin = FOLDER / "bin"
    bin.mkdir()
    shutil.copy(HOST, bin / "modelhost")
    path = f"{TOOLS}{os.pathsep}{bin}{os.pathsep}{os.environ['PATH']}"
    more = {"PATH": path, "PRE_COMMIT_HOME": FOLDER / "hooks"}
    env = environment(**more)
    folder = repository("hooked", ["models/a", "models/b b"])
    modelhost(folder, "init", "--ci", "pre-commit")
    commands = [["pre-commit", "run", "--all-files", "--verbose"]]
    manifest = FOLDER / "manifest"
    manifest.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", manifest)
    git(manifest, "init", "-q", "-b", "main")
    git(manifest, "add", "-A")
    git(manifest, "commit", "-q", "-m", "hooks")
    commands.append(["pre-commit", "try-repo", manifest, "modelhost", "--all-files", "--verbose"])
    git(folder, "add", "-A")
    for command in commands:
        # Before the first commit everything is new.
        run(command, cwd=folder, env=env)
    commit(folder)
    for command in commands:
        if "0 of 2 models changed since HEAD" not in run(command, cwd=folder, env=env):
            wrong("the hook looks at what did not change")
    change(folder / "models/b b/model.safetensors")
    git(folder, "add", "-A")
    for command in commands:
        said = run(command, 1, cwd=folder, env=env)
        if "checksum/digest-mismatch" not in said or "models/b b/model.safetensors" not in said:
            wrong(f"the hook does not say what it denies: {said}")
    print("the hook: runs by pre-commit, before the first commit, unchanged and denied")


class Served:
    """A server of HOST by https, as an organization has one."""

    def __enter__(self):
        key, certificate = FOLDER / "tls.key", FOLDER / "tls.pem"
        new = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        new += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        new += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
        run(new)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path != "/modelhost":
                    self.send_error(404)
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(HOST.read_bytes())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.root = f"https://127.0.0.1:{self.server.server_address[1]}"
        self.environment = {"CURL_CA_BUNDLE": certificate, "no_proxy": "127.0.0.1"}
        return self

    def __exit__(self, *_):
        self.server.shutdown()


def step(text, folder, expected, env, shell=("bash", "--noprofile", "--norc", "-eo", "pipefail")):
    """Runs a step as a runner does, and returns what it said and its outputs."""
    script = FOLDER / "step"
    script.write_text(text, encoding="utf-8")
    files = {name: FOLDER / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("", encoding="utf-8")
    said = run([*shell, script], expected, cwd=folder, env={**env, **files})
    outputs = files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()
    outputs = dict(line.split("=", 1) for line in outputs)
    if "decision" in outputs and not files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8"):
        wrong("a decision without a summary of the job")
    return said, outputs


def steps(made, served):
    """Runs the steps of the action, of the workflow and of the GitLab file."""
    fetch, gate = (text for _, _, text, _ in scripts(ROOT / "action.yml"))
    temp = FOLDER / "runner temp"
    temp.mkdir()
    digest = hashlib.sha256(HOST.read_bytes()).hexdigest()
    base = environment(RUNNER_TEMP=temp, GITHUB_ACTIONS="true", **served.environment)
    good = f"{served.root}/modelhost"
    folder = repository("gated", ["models/a", "models/b b", "models/c"])
    modelhost(folder, "init")
    commit(folder)
    binary = temp / "modelhost/modelhost"
    for url, sha256, code in [
        (good.replace("https", "http"), digest, 1),
        (f"file://{HOST}", digest, 1),
        (f"{served.root}/absent", digest, 22),
        (good, "0" * 64, 1),
        (good, digest, 0),
    ]:
        env = {**base, "URL": url, "SHA256": sha256}
        done = subprocess.run(["bash", "-c", fetch], cwd=folder, env=env, capture_output=True)
        is_there = binary.exists() and os.access(binary, os.X_OK)
        if (done.returncode == 0) != (code == 0) or is_there != (code == 0):
            wrong(f"fetching {url} ended with {done.returncode}: {done.stderr.decode()}")
    print("the action: fetches by https alone, and takes no other digest")

    def gated(expected, event="push", paths="", changed="auto", args="", **more):
        inputs = {"PATHS": paths, "CHANGED": changed, "MORE": args, "EVENT": event}
        reports = {"JSON": "a report.json", "SARIF": "modelhost-report.sarif"}
        env = {**base, **inputs, **reports, **more}
        return step(gate, folder, expected, env)

    def decided(expected, decision, models, **more):
        _, outputs = gated(expected, **more)
        told = (outputs["decision"], outputs["models"], outputs["exit-code"])
        if told != (decision, str(models), str(expected)):
            wrong(f"the action's outputs: {outputs}")
        for report in ("a report.json", "modelhost-report.sarif"):
            (folder / report).unlink()

    pull = {"event": "pull_request", "GITHUB_BASE_REF": "main"}
    decided(0, "allow", 3)
    decided(0, "allow", 1, paths="models/b b")
    decided(0, "allow", 2, paths="models/a\nmodels/b b\n")
    decided(0, "allow", 3, changed="false", **pull)
    said, outputs = gated(0, **pull)
    if " 0 of " not in said or "changed since origin/main" not in said:
        wrong(f"an unchanged pull request: {said}")
    if (outputs["decision"], outputs["models"]) != ("allow", "0"):
        wrong(f"an unchanged pull request: {outputs}")
    _, outputs = gated(2, event="pull_request", GITHUB_BASE_REF="absent")
    if (outputs["decision"], outputs["exit-code"]) != ("incomplete", "2"):
        wrong(f"a base that is not there: {outputs}")
    gated(2, args="--no-such-option")
    gated(2, paths="models/a models/c")
    (folder / "models/b b/model.pkl").write_bytes(b"cbuiltins\neval\n(Vprint(1)\ntR.")
    decided(1, "deny", 1, **pull)
    decided(1, "deny", 3)
    decided(0, "allow", 2, paths="models/a\nmodels/c")
    # Arguments on lines of their own are all taken.
    gated(2, args="--no-locked\n--no-such-option")
    print("the action: allows, denies, says that nothing changed, and exits with 2")

    for name in ("github", "gitlab"):
        gated_by(made, name, base, served)


def gated_by(made, name, base, served):
    """Runs what `init --ci` wrote, on the branch and on a request that changes a model."""
    folder = made[list(FILES).index(name)].parents[2 if name == "github" else 1]
    if name == "github":
        git(folder, "add", "-A")
        commit(folder)
    text = "\n".join(text for _, _, text, _ in scripts(folder / FILES[name]))
    of = yaml.safe_load((folder / FILES[name]).read_text(encoding="utf-8"))
    builds = FOLDER / f"{name} builds"
    builds.mkdir()
    env = {**base, "RUNNER_TEMP": builds, "CI_BUILDS_DIR": builds}
    url = f"{served.root}/modelhost"
    if name == "github":
        env |= {"URL": url, "SHA256": of["jobs"]["gate"]["steps"][1]["env"]["SHA256"]}
        request = {"CHANGED": "--changed", "GITHUB_BASE_REF": "main"}
        # Without `shell:`, a runner gives bash `-e` alone.
        shell = ("bash", "-e")
    else:
        env |= {"MODELHOST_URL": url}
        env |= of["modelhost"]["variables"]
        base_commit = git(folder, "rev-parse", "HEAD").strip()
        request = {"MODELHOST_CHANGED": "--changed", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base_commit}
        # A runner takes bash where there is one, else sh: the harder of the two.
        shell = ("sh", "-e")
    env = {key: str(value) for key, value in env.items()}
    weights = folder / "models/a/model.safetensors"
    before = weights.read_bytes()
    step(text, folder, 0, env, shell)
    said, _ = step(text, folder, 0, {**env, **request}, shell)
    if " 0 of " not in said or "changed since" not in said:
        wrong(f"{name}: an unchanged request: {said}")
    change(weights)
    step(text, folder, 1, {**env, **request}, shell)
    weights.write_bytes(before)
    print(f"init --ci {name}: its script allows, denies, and says that nothing changed")


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "home").mkdir(parents=True)
    _, made = written()
    validate(made)
    hook()
    missing = [name for name in ("curl", "openssl", "sha256sum") if shutil.which(name) is None]
    if missing:
        print(f"skipped: the scripts themselves: {', '.join(missing)} not here")
        return
    with Served() as served:
        steps(made, served)


main()
