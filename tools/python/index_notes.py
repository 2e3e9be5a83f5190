"""Writes a two-level index of notes in Markdown; tools/recipes/index-notes --help has the options."""

import collections
import contextlib
import hashlib
import math
import os
import re
import shutil
import tempfile
import urllib.parse

import numpy

from notes import counted, entries, line
from recipes import Options, fail, run, say, whole

ASK_CLUSTER = ("Below are the {which} sections of a group of notes. Say in two sentences what the group is about, for "
               "somebody who looks for something in it. Say nothing that is not in the sections.")
ASK_TOPIC = ("Below are the headings of several groups of notes, and the words that set each group apart. Give what they have "
             "in common a name of at most six words, then say in one sentence what is found there.")
# Characters of a section that go into a prompt.
EXCERPT = 1200
WORDS = 5


def main():
    parser = Options()
    parser.add_argument("file")
    for option in ("--notes", "--out"):
        parser.add_argument(option, required=True)
    parser.add_argument("--clusters")
    parser.add_argument("--topics")
    parser.add_argument("--central", type=whole(1, 1000), default=5)
    parser.add_argument("--summaries")
    given = parser.parse_args()
    if given.topics and not given.clusters:
        fail(64, "--topics needs --clusters, whose centroids the topics are clusters of")
    if not os.path.isdir(given.notes):
        fail(66, f"{given.notes}: no such folder")
    fields = {"path": str, "heading": list, "anchor": str, "text": str}
    sections = [{name: entry[name] for name in fields} for entry in entries(given.file, fields)]
    members, topics = clusters(given, len(sections))
    for section in sections:
        if not os.path.isfile(os.path.join(given.notes, section["path"])):
            fail(66, f"{os.path.join(given.notes, section['path'])}: {given.file} names it, and there is no such file")
    summaries = {entry["key"]: entry["summary"] for entry in
                 entries(given.summaries, {"key": str, "summary": str})} if given.summaries else {}
    index = Index(given, sections, members, topics, summaries)
    with new_folder(given.out) as folder:
        index.write(folder)
    told = f"{counted(len(sections), 'section')}" + (f" in {counted(index.groups, 'topic')}" if index.groups else "")
    told = f"{counted(index.pages, 'page')} of {told}" if index.pages else f"{told} on one page"
    print(f"{given.out}: {told}" + (f", {len(summaries) - len(summaries.keys() - index.keys):,} with summaries" if given.summaries else ""))
    if summaries.keys() - index.keys:
        say(f"{given.summaries}: {counted(len(summaries.keys() - index.keys), 'key')} of no page: the notes have changed since")


def clusters(given, count):
    """The rows of each cluster, the most central first, and the topic of each cluster."""
    if not given.clusters:
        return [list(range(count))], [0]
    labels = whole_numbers(os.path.join(given.clusters, "labels.npy"), count, f"lines in {given.file}")
    distances = array(os.path.join(given.clusters, "distances.npy"), count, f"lines in {given.file}")
    k = len(array(os.path.join(given.clusters, "centroids.npy")))
    if labels.max() >= k:
        fail(65, f"{given.clusters}: labels.npy has a {labels.max()}, and centroids.npy {k} rows")
    # By distance; of equal ones the earlier line.
    members = [[] for _ in range(k)]
    for row in numpy.argsort(distances, kind="stable"):
        members[labels[row]].append(int(row))
    if not given.topics:
        return members, [0] * k
    return members, whole_numbers(os.path.join(given.topics, "labels.npy"), k, f"rows in {given.clusters}/centroids.npy")


def array(path, rows=None, what=None):
    try:
        values = numpy.load(path, allow_pickle=False)
    except OSError as error:
        fail(66, f"{path}: {error.strerror or 'cannot be read'}")
    except (ValueError, EOFError):
        values = None
    if not isinstance(values, numpy.ndarray) or values.dtype.kind not in "iuf":
        fail(65, f"{path}: is not a .npy file of numbers")
    if rows is not None and (values.ndim != 1 or len(values) != rows):
        fail(65, f"{path}: has the shape {values.shape}; one number for each of the {rows:,} {what} is needed")
    return values


def whole_numbers(path, rows, what):
    values = array(path, rows, what)
    if values.dtype.kind not in "iu" or values.min() < 0:
        fail(65, f"{path}: has {values.dtype} numbers from {values.min()}; whole numbers from 0 are needed")
    return values


@contextlib.contextmanager
def new_folder(path):
    """A folder that is at `path` when it is complete, and never before."""
    if os.path.lexists(path) and (not os.path.isdir(path) or os.listdir(path)):
        fail(73, f"{path}: it is there, and not an empty folder")
    try:
        folder = tempfile.mkdtemp(prefix=".index-notes-", dir=os.path.dirname(os.path.abspath(path)))
    except OSError as error:
        fail(73, f"{path}: cannot be created: {error.strerror}")
    try:
        yield folder
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(folder, 0o777 & ~mask)
        if os.path.isdir(path):
            os.rmdir(path)
        os.rename(folder, path)
    except OSError as error:
        fail(74, f"{path}: writing failed: {error.strerror}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Index:
    """The pages. `members` has the rows of each cluster, the most central first, `topics` the topic of each cluster.

    A level that would hold one thing is left out: a cluster has a page if it has more sections than are listed as the most
    central, a topic has a heading if it has more than one cluster and is not the only one.
    """

    def __init__(self, given, sections, members, topics, summaries):
        self.sections, self.members, self.summaries = sections, members, summaries
        self.central, self.is_clustered = given.central, given.clusters is not None
        self.notes = os.path.relpath(os.path.abspath(given.notes), os.path.abspath(given.out))
        self.width = len(str(len(members) - 1))
        filled = [cluster for cluster in range(len(members)) if members[cluster]]
        filled.sort(key=lambda cluster: (-len(members[cluster]), cluster))
        self.names = self.named({cluster: members[cluster] for cluster in filled})
        groups = collections.defaultdict(list)
        for cluster in filled:
            groups[int(topics[cluster])].append(cluster)
        # By topic; what is the only cluster of its topic is in none.
        self.topics = sorted(((topic, found) for topic, found in groups.items() if len(found) > 1),
                             key=lambda group: (-self.size(group[1]), group[0]))
        self.others = [cluster for cluster in filled if len(groups[int(topics[cluster])]) == 1]
        self.has_headings = len(self.topics) + bool(self.others) > 1
        self.topic_names = self.named({
            topic: sorted((row for cluster in found for row in members[cluster])) for topic, found in self.topics}
            | ({None: [row for cluster in self.others for row in members[cluster]]} if self.others else {}))
        self.paged = [cluster for cluster in filled if len(filled) > 1 and len(members[cluster]) > self.central]
        self.pages, self.groups = len(self.paged), len(self.topics) if self.has_headings else 0
        self.clusters, self.keys, self.prompts = len(filled), set(), []

    def size(self, clusters):
        return sum(len(self.members[cluster]) for cluster in clusters)

    def named(self, groups):
        """Names for groups of rows: the words that set each apart, or the first section of one with a section or two."""
        words = distinctive({group: [self.sections[row]["text"] for row in rows] for group, rows in groups.items()})
        return {group: ", ".join(words[group]) if len(rows) > 2 else self.title(rows[0]) for group, rows in groups.items()}

    def write(self, folder):
        found = [counted(self.clusters, "group")] if self.clusters > 1 else []
        found += [counted(self.groups, "topic")] if self.groups else []
        told = counted(len(self.sections), "section") + (f" in {' and '.join(found)}" if found else "")
        lines = ["# Index of notes", "", f"{told}.", ""]
        if self.clusters == 1:
            lines += [*self.place("index.md", self.ask(self.others[0])), "", *self.listed(self.others[0]), ""]
        else:
            for topic, clusters in self.topics:
                prompt = "\n".join([ASK_TOPIC, ""] + [
                    f"- {self.names[cluster]}: "
                    + "; ".join(self.title(row) for row in self.members[cluster][:3]) for cluster in clusters])
                if self.has_headings:
                    lines += [f"## {text(self.topic_names[topic])}", ""]
                lines += [*self.place("index.md", prompt), "", *(self.entry(cluster) for cluster in clusters), ""]
            if self.others:
                lines += ["## Other groups", ""] if self.has_headings else []
                lines += [*(self.entry(cluster) for cluster in self.others), ""]
        self.save(folder, "index.md", lines)
        topics = {cluster: topic for topic, clusters in self.topics for cluster in clusters}
        for cluster in self.paged:
            name = self.page(cluster)
            topic = topics.get(cluster)
            of = f" of the topic [{text(self.topic_names[topic])}](index.md)" if self.has_headings and topic is not None else \
                " of the [index](index.md)"
            self.save(folder, name, [
                f"# {text(self.names[cluster])}", "", f"{counted(len(self.members[cluster]), 'section')}{of}.", "",
                *self.place(name, self.ask(cluster)), "", *self.listed(cluster), ""])
        with open(os.path.join(folder, "prompts.jsonl"), "wb") as file:
            file.writelines(line(prompt) for prompt in self.prompts)

    def entry(self, cluster):
        """The line of a cluster among others: its sections where they are few, else its page."""
        rows = self.members[cluster]
        if len(rows) == 1:
            return f"- {self.link(rows[0])}"
        if cluster not in self.paged:
            name = "" if len(rows) == 2 else f"{text(self.names[cluster])}: "
            return f"- {name}" + ", ".join(self.link(row) for row in rows)
        return (f"- [{text(self.names[cluster])}]({self.page(cluster)}), {counted(len(rows), 'section')}; "
                f"most central: {self.link(rows[0])}")

    def listed(self, cluster):
        """The sections of a cluster, from the centre outwards; without clusters, in the order of the file."""
        rows = self.members[cluster]
        if not self.is_clustered:
            return [f"- {self.link(row)}" for row in rows]
        lines = [f"{number}. {self.link(row)}" for number, row in enumerate(rows[:self.central], 1)]
        if len(rows) <= self.central:
            return lines
        return ["## Most central", "", *lines, "", "## The others, from the centre outwards", "",
                *(f"- {self.link(row)}" for row in rows[self.central:])]

    def ask(self, cluster):
        """The prompt that asks for a cluster's summary."""
        shown = "\n\n".join(f"{self.title(row)}\n{excerpt(self.sections[row]['text'])}"
                            for row in self.members[cluster][:self.central])
        return f"{ASK_CLUSTER.format(which='most central' if self.is_clustered else 'first')}\n\n{shown}"

    def place(self, page, prompt):
        """The lines of a summary: itself where there is one, else the prompt that asks for it, as a comment."""
        key = hashlib.sha256(prompt.encode("utf-8")).hexdigest()[:16]
        self.keys.add(key)
        self.prompts.append({"key": key, "page": page, "prompt": prompt})
        if key in self.summaries:
            return [self.summaries[key].strip()]
        # A comment ends at its first "-->", also within a prompt.
        return [f"<!-- summary {key}: put one in place of this comment. The prompt:", re.sub(r"-(?=-)", "- ", prompt), "-->"]

    def page(self, cluster):
        return f"cluster-{cluster:0{self.width}}.md"

    def title(self, row):
        section = self.sections[row]
        stem = os.path.splitext(section["path"])[0]
        return " › ".join([stem] + section["heading"])

    def link(self, row):
        section = self.sections[row]
        target = urllib.parse.quote(os.path.join(self.notes, section["path"]))
        if section["anchor"]:
            target += "#" + urllib.parse.quote(section["anchor"])
        return f"[{text(self.title(row))}]({target})"

    @staticmethod
    def save(folder, name, lines):
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(lines))


def text(content):
    """Text on one line in which no character is markup."""
    return re.sub(r"([\\`*_\[\]<>#|&~$])", r"\\\1", re.sub(r"\s+", " ", content))


def excerpt(content):
    return content if len(content) <= EXCERPT else content[:EXCERPT] + " …"


def distinctive(groups):
    """The words that set each group of texts apart: the ones with the largest p log(p / q), where p is the share of the
    group's texts that have the word, and q the share of all.
    """
    counts = {group: collections.Counter(
        word for content in texts for word in set(re.findall(r"[^\W\d_]{3,}", content.lower())))
        for group, texts in groups.items()}
    total = sum(counts.values(), collections.Counter())
    texts = sum(len(members) for members in groups.values())

    def weight(group, word):
        share = counts[group][word] / len(groups[group])
        return share * math.log(share * texts / total[word])
    return {group: sorted(count, key=lambda word: (-weight(group, word), word))[:WORDS] or ["without words"]
            for group, count in counts.items()}



run(main)
