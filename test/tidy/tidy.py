#!/usr/bin/env python3
"""House rules that clang-tidy cannot check, over the files git tracks.

tidy.py            check the tree; one line a finding, exit 1 if there is any
tidy.py --self     check that every file in test/tidy/bad is found guilty of what its first line names
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BAD = ROOT / "test" / "tidy" / "bad"

# What a decision may not touch, and why a reader is told so.
IMPURE = {
    r"::now\(": "reads a clock",
    r"\bsleep": "waits",
    r"\brandom_device\b": "draws randomness",
    r"\bgetenv\b": "reads the environment",
    r"\basio\b": "does I/O",
    r"\bspdlog\b": "logs",
    r"\bmutex\b": "locks",
    r"\bunordered_": "iterates in an order that depends on a hash",
    r"<fstream>|<iostream>|<thread>|<filesystem>": "does I/O",
}

EVERYWHERE = {
    r"\bdetached\b": "loses exceptions: give co_spawn a completion handler",
    r"\bviews::": "clang-tidy 14 cannot read libstdc++'s views",
    r"\bstd::source_location\b": "clang-tidy 14 cannot read it: BOOST_CURRENT_LOCATION",
}

# Layers, lowest first; a file includes its own and what is below.
LAYERS = ["proto", "common", "common/io", "program", "test"]
PROGRAMS = ("scheduler", "executor", "cli")

SIZES = {".hpp": 300, ".cpp": 400}
TEST_SIZE = 500


def layer(path):
    top = path.split("/", 1)[0]
    if path.startswith("common/io/"):
        return LAYERS.index("common/io")
    if top in PROGRAMS:
        return LAYERS.index("program")
    return LAYERS.index(top) if top in LAYERS else None


def is_pure(path):
    if path.startswith("common/"):
        return not path.startswith("common/io/")
    return "/decide/" in path and path.split("/", 1)[0] in PROGRAMS


def strip(text):
    """The text without comments and literals, line structure kept."""
    pattern = re.compile(
        r'R"(\w*)\((?:.|\n)*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*(?:.|\n)*?\*/')

    def blank(match):
        quiet = "\n" * match.group().count("\n")
        return quiet if match.group().startswith(("/", "R")) else '""' + quiet

    includes = [(i, line) for i, line in enumerate(text.split("\n")) if line.startswith("#include")]
    lines = pattern.sub(blank, text).split("\n")
    for i, line in includes:
        lines[i] = line
    return "\n".join(lines)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def co_await_faults(code):
    """g++ 12 destroys braced aggregates and capturing lambdas twice inside a co_await expression."""
    for match in re.finditer(r"\bco_await\b([^;]*);", code):
        expression = match.group(1)
        if re.search(r"\b[A-Z]\w*\{\s*[^}\s]", expression):
            yield match.start(), "braced aggregate in a co_await expression: name it on the line above"
        if re.search(r"\[[^\]\n]+\]\s*(\(|\{|mutable)", expression) and not re.search(
                r"\w\[[^\]\n]+\]\s*\(", expression):
            yield match.start(), "capturing lambda in a co_await expression: name it on the line above"


def condition_faults(code):
    """g++ 12 lays out a coroutine's frame wrongly where a condition awaits without declaring (GCC 106188)."""
    for match in re.finditer(r"\b(?:if|while)\s*\(", code):
        depth, end = 1, match.end()
        while depth and end < len(code):
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        condition = code[match.end():end - 1]
        if re.search(r"\bco_await\b", condition) and not re.search(r"[^=!<>]=\s*co_await\b", condition):
            yield match.start(), "co_await as a condition: name its value on the line above"


def include_faults(path, code):
    mine = layer(path)
    for match in re.finditer(r'^#include "([^"]+)"', code, re.M):
        target = match.group(1)
        theirs = layer(target)
        if theirs is None or mine is None:
            continue
        top, their_top = path.split("/", 1)[0], target.split("/", 1)[0]
        if theirs > mine:
            yield match.start(), f"includes {target}, which lies above it"
        elif top in PROGRAMS and their_top in PROGRAMS and top != their_top:
            yield match.start(), f"includes {target}, another program"
        elif is_pure(path) and target.startswith("common/io/"):
            yield match.start(), f"decides, but includes {target}"


def faults(path, text):
    code = strip(text)
    for pattern, why in EVERYWHERE.items():
        for match in re.finditer(pattern, code):
            yield line_of(code, match.start()), f"{match.group()}: {why}"
    if is_pure(path):
        for pattern, why in IMPURE.items():
            for match in re.finditer(pattern, code):
                yield line_of(code, match.start()), f"a decision {why}: {match.group()}"
    if not path.endswith("main.cpp") and not path.startswith("common/io/offload"):
        for match in re.finditer(r"\bcatch\s*\(\s*\.\.\.\s*\)", code):
            yield line_of(code, match.start()), "catch (...): only main and thread entries may"
    if path.endswith(".hpp"):
        for match in re.finditer(r"^\s*using namespace", code, re.M):
            yield line_of(code, match.start()), "using namespace in a header"
        if "#pragma once" not in code:
            yield 1, "a header without #pragma once"
    for match in re.finditer(r'TEST_CASE\(\s*"[^"]*;', text):
        yield line_of(text, match.start()), "a ; in a test's name: CTest would run nothing, and pass"
    for offset, why in (
            *co_await_faults(code), *condition_faults(code), *include_faults(path, code)):
        yield line_of(code, offset), why
    length = text.count("\n")
    cap = TEST_SIZE if path.startswith("test/") else SIZES[pathlib.Path(path).suffix]
    if length > cap:
        yield cap, f"{length} lines, the cap is {cap}: split it by phase or input"


def tracked(*patterns):
    """What git tracks and is there: a deletion may not be staged yet."""
    out = subprocess.run(["git", "-C", ROOT, "ls-files", "--", *patterns],
                         check=True, capture_output=True, text=True).stdout
    return [path for path in out.split() if (ROOT / path).exists()]


def orphans(sources):
    """Sources that no CMakeLists.txt names: they are never compiled, so never checked."""
    lists = {path: (ROOT / path).read_text() for path in tracked("*CMakeLists.txt")}
    for source in sources:
        name = pathlib.PurePosixPath(source)
        named = any(
            str(name.relative_to(pathlib.PurePosixPath(path).parent)) in text
            for path, text in lists.items()
            if name.is_relative_to(pathlib.PurePosixPath(path).parent))
        if not named:
            yield source


def check_tree():
    found = []
    sources = [f for f in tracked("*.cpp", "*.hpp") if not f.startswith("test/tidy/bad/")]
    for path in sources:
        for line, why in faults(path, (ROOT / path).read_text()):
            found.append(f"{path}:{line}: {why}")
    for path in orphans([f for f in sources if f.endswith(".cpp")]):
        found.append(f"{path}:1: in no CMake target")
    print("\n".join(found) if found else f"tidy: {len(sources)} files, nothing to say")
    return 1 if found else 0


def check_self():
    """Each bad example: first line `// as <path>: <text that the finding must hold>`."""
    failed = 0
    examples = sorted(BAD.iterdir())
    for example in examples:
        text = example.read_text()
        match = re.match(r"// as (\S+): (.+)\n", text)
        findings = [why for _, why in faults(match.group(1), text)]
        if not any(match.group(2) in why for why in findings):
            failed += 1
            print(f"{example.name}: not found guilty of '{match.group(2)}', only of {findings}")
    print(f"{len(examples) - failed} passed, {failed} failed")
    return 1 if failed or not examples else 0


if __name__ == "__main__":
    sys.exit(check_self() if "--self" in sys.argv[1:] else check_tree())
