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

ASK_CLUSTER = ("Below are the most central sections of a group of notes. Say in two sentences what the group is about, for "
               "somebody who looks for something in it. Say nothing that is not in the sections.")
ASK_TOPIC = ("Below are the headings of several groups of notes, and the words that set each group apart. Give what they have "
             "in common a name of at most six words, then say in one sentence what is found there.")
# Characters of a section that go into a prompt.
EXCERPT = 1200
WORDS = 5


def main():
    parser = Options()
    parser.add_argument("file")
    for option in ("--clusters", "--topics", "--notes", "--out"):
        parser.add_argument(option, required=True)
    parser.add_argument("--central", type=whole(1, 1000), default=5)
    parser.add_argument("--summaries")
    given = parser.parse_args()
    if not os.path.isdir(given.notes):
        fail(66, f"{given.notes}: no such folder")
    fields = {"path": str, "heading": list, "anchor": str, "text": str}
    sections = [{name: entry[name] for name in fields} for entry in entries(given.file, fields)]
    labels = whole_numbers(os.path.join(given.clusters, "labels.npy"), len(sections), f"lines in {given.file}")
    distances = array(os.path.join(given.clusters, "distances.npy"), len(sections), f"lines in {given.file}")
    count = len(array(os.path.join(given.clusters, "centroids.npy")))
    if labels.max() >= count:
        fail(65, f"{given.clusters}: labels.npy has a {labels.max()}, and centroids.npy {count} rows")
    topics = whole_numbers(os.path.join(given.topics, "labels.npy"), count, f"rows in {given.clusters}/centroids.npy")
    for section in sections:
        if not os.path.isfile(os.path.join(given.notes, section["path"])):
            fail(66, f"{os.path.join(given.notes, section['path'])}: {given.file} names it, and there is no such file")
    summaries = {entry["key"]: entry["summary"] for entry in
                 entries(given.summaries, {"key": str, "summary": str})} if given.summaries else {}
    # By distance; of equal ones the earlier line.
    members = [[] for _ in range(count)]
    for row in numpy.argsort(distances, kind="stable"):
        members[labels[row]].append(int(row))
    index = Index(given, sections, members, topics, summaries)
    with new_folder(given.out) as folder:
        index.write(folder)
    told = f"{given.out}: {counted(index.pages, 'page')} of {counted(len(sections), 'section')} in {counted(index.groups, 'topic')}"
    print(told + (f", {len(summaries) - len(summaries.keys() - index.keys):,} with summaries" if given.summaries else ""))
    if summaries.keys() - index.keys:
        say(f"{given.summaries}: {counted(len(summaries.keys() - index.keys), 'key')} of no page: the notes have changed since")


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
    """The pages. `members` has the rows of each cluster, the most central first, `topics` the topic of each cluster."""

    def __init__(self, given, sections, members, topics, summaries):
        self.sections, self.members, self.summaries = sections, members, summaries
        self.central = given.central
        self.notes = os.path.relpath(os.path.abspath(given.notes), os.path.abspath(given.out))
        self.width = len(str(len(members) - 1))
        filled = [cluster for cluster in range(len(members)) if members[cluster]]
        self.words = distinctive({cluster: [sections[row]["text"] for row in members[cluster]] for cluster in filled})
        groups = collections.defaultdict(list)
        for cluster in sorted(filled, key=lambda cluster: (-len(members[cluster]), cluster)):
            groups[int(topics[cluster])].append(cluster)
        self.topics = sorted(groups.items(), key=lambda group: (-self.size(group[1]), group[0]))
        self.topic_words = distinctive({
            topic: [sections[row]["text"] for cluster in clusters for row in members[cluster]]
            for topic, clusters in self.topics})
        self.pages, self.groups, self.keys, self.prompts = len(filled), len(groups), set(), []

    def size(self, clusters):
        return sum(len(self.members[cluster]) for cluster in clusters)

    def write(self, folder):
        lines = ["# Index of notes", "",
                 f"{counted(len(self.sections), 'section')} in {counted(self.pages, 'group')} and {counted(self.groups, 'topic')}.", ""]
        for topic, clusters in self.topics:
            words = ", ".join(self.topic_words[topic])
            prompt = "\n".join([ASK_TOPIC, ""] + [
                f"- {', '.join(self.words[cluster])}: "
                + "; ".join(self.title(row) for row in self.members[cluster][:3]) for cluster in clusters])
            lines += [f"## {text(words)}", "", *self.place("index.md", prompt), ""]
            for cluster in clusters:
                central = self.members[cluster][0]
                lines.append(f"- [{text(', '.join(self.words[cluster]))}]({self.page(cluster)}), "
                             f"{counted(len(self.members[cluster]), 'section')}; most central: {self.link(central)}")
            lines.append("")
        self.save(folder, "index.md", lines)
        for topic, clusters in self.topics:
            for cluster in clusters:
                self.write_cluster(folder, cluster, ", ".join(self.topic_words[topic]))
        with open(os.path.join(folder, "prompts.jsonl"), "wb") as file:
            file.writelines(line(prompt) for prompt in self.prompts)

    def write_cluster(self, folder, cluster, topic):
        rows, name = self.members[cluster], self.page(cluster)
        shown = "\n\n".join(f"{self.title(row)}\n{excerpt(self.sections[row]['text'])}" for row in rows[:self.central])
        lines = [f"# {text(', '.join(self.words[cluster]))}", "",
                 f"{counted(len(rows), 'section')} of the topic [{text(topic)}](index.md).", "",
                 *self.place(name, f"{ASK_CLUSTER}\n\n{shown}"), "", "## Most central", ""]
        lines += [f"{number}. {self.link(row)}" for number, row in enumerate(rows[:self.central], 1)]
        if rows[self.central:]:
            lines += ["", "## The others, from the centre outwards", ""]
            lines += [f"- {self.link(row)}" for row in rows[self.central:]]
        self.save(folder, name, lines + [""])

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
