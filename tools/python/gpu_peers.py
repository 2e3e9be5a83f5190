"""Times the same work with PyTorch, faiss and cuML where they are installed; tools/gpu-report runs it.

usage: gpu_peers.py [GPU]

GPU is the name of the GPU to use, as OpenCL gives it. Without it, or where that name is unknown, the first is used.

Prints one JSON array, an object per line: {"peer", "case", "seconds", "transfer", ...}, or {"note"} where a peer is
missing. "transfer" says whether the time includes the upload of the data. Every case runs once to warm up; seconds are
the median of the rounds after it, with the device's work finished.
"""

import json
import os
import subprocess
import sys
import time

IMAGES, BATCH = 60000, 64
STEPS = -(-IMAGES // BATCH)
RESIDENT, UPLOADED = "data already on the GPU", "upload included"
GPU = sys.argv[1] if len(sys.argv) > 1 else ""
lines = 0


def show(**fields):
    global lines
    print(("," if lines else "[") + json.dumps(fields), flush=True)
    lines += 1


def median_time(work, finish, rounds=3):
    work()
    finish()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        finish()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def choose_gpu():
    """Shows the CUDA libraries only the GPU of that name, where there are several and the user has not chosen."""
    if not GPU or "CUDA_VISIBLE_DEVICES" in os.environ:
        return
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index,name", "--format=csv,noheader"], capture_output=True, text=True,
            timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return
    for line in listed.splitlines():
        index, _, name = line.partition(",")
        if name.strip() == GPU:
            os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
            os.environ["CUDA_VISIBLE_DEVICES"] = index.strip()
            return


def pytorch_device(torch):
    """The index of the GPU: NVIDIA's are known by their name, AMD's by their architecture."""
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    for index, name in enumerate(names):
        # OpenCL calls an AMD GPU "gfx90a:sramecc+:xnack-".
        architecture = getattr(torch.cuda.get_device_properties(index), "gcnArchName", name)
        if GPU and (GPU == name or architecture.split(":")[0] == GPU.split(":")[0]):
            return index
    if GPU:
        show(note=f"PyTorch does not know the GPU {GPU}: it uses {names[0]}")
    return 0


def pytorch():
    import torch
    import torch.nn as nn
    import torch.nn.functional as functional

    if not torch.cuda.is_available():
        show(note=f"PyTorch {torch.__version__} is installed and sees no GPU")
        return
    # float32 as everyone else computes it here.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    index = pytorch_device(torch)
    torch.cuda.set_device(index)
    device = f"cuda:{index}"
    images = torch.randint(0, 256, (IMAGES, 1, 32, 32), dtype=torch.uint8, device=device)
    labels = torch.randint(0, 10, (IMAGES,), device=device)
    name = f"PyTorch {torch.__version__}"

    class Networks(nn.Module):
        """LeNet-5 as the article trained it, `count` of them side by side by grouped convolutions."""

        def __init__(self, count):
            super().__init__()
            self.count = count
            self.blocks = nn.Sequential(
                nn.Conv2d(count, 6 * count, 5, groups=count), nn.BatchNorm2d(6 * count), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(6 * count, 16 * count, 5, groups=count), nn.BatchNorm2d(16 * count), nn.ReLU(),
                nn.MaxPool2d(2))
            shapes = ((400, 120), (120, 84), (84, 10))
            self.weights = nn.ParameterList([nn.Parameter(0.05 * torch.randn(count, i, o)) for i, o in shapes])
            self.biases = nn.ParameterList([nn.Parameter(torch.zeros(count, 1, o)) for _, o in shapes])

        def forward(self, batch):
            hidden = self.blocks(batch).view(-1, self.count, 400).transpose(0, 1)
            for layer in range(3):
                hidden = torch.baddbmm(self.biases[layer], hidden, self.weights[layer])
                if layer < 2:
                    hidden = functional.relu(hidden)
            return hidden

    def trainer(count, capturable):
        model = Networks(count).to(device)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True, capturable=capturable)

        def step(indices):
            optimizer.zero_grad(set_to_none=True)
            flat = indices.view(-1)
            batch = ((images[flat].float() - 33) / 78).view(count, BATCH, 32, 32).transpose(0, 1).contiguous()
            loss = functional.cross_entropy(model(batch).reshape(-1, 10), labels[flat]) * count
            loss.backward()
            optimizer.step()

        return step

    def indices(count):
        return torch.randint(0, IMAGES, (count, BATCH), device=device)

    def graph(count):
        step, fixed = trainer(count, True), indices(count)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(5):
                step(fixed)
        torch.cuda.current_stream().wait_stream(stream)
        captured = torch.cuda.CUDAGraph()
        with torch.cuda.graph(captured):
            step(fixed)

        def replay():
            fixed.copy_(indices(count))
            captured.replay()

        return replay

    for count in (1, 40):
        plain = trainer(count, False)
        for way, step in (("plain loop", lambda: plain(indices(count))), ("CUDA graph", graph(count))):
            steps = 100
            seconds = median_time(lambda: [step() for _ in range(steps)], torch.cuda.synchronize)
            networks = "1 network" if count == 1 else f"{count} networks by grouped convolutions"
            show(peer=name, case=f"an epoch of {IMAGES}, {networks}, {way}", seconds=round(seconds / steps * STEPS, 4),
                 transfer=RESIDENT, step_us=round(seconds / steps * 1e6, 1), gpu=torch.cuda.get_device_name(index))


def faiss():
    import faiss as library
    import numpy

    if not hasattr(library, "StandardGpuResources") or library.get_num_gpus() == 0:
        show(note=f"faiss {library.__version__} is installed and sees no GPU")
        return
    for rows, width in ((1000000, 64), (200000, 768)):
        points = numpy.random.default_rng(1).standard_normal((rows, width), dtype=numpy.float32)

        def train(iterations):
            library.Kmeans(
                width, 1000, niter=iterations, gpu=1, seed=1, max_points_per_centroid=rows).train(points)

        # The first use of the GPU takes seconds.
        train(1)
        start = time.perf_counter()
        train(20)
        # It takes rows from the host's memory, in every iteration.
        show(peer=f"faiss {library.__version__}", case=f"Lloyd, {rows:,} x {width}, k 1,000, 20 iterations",
             seconds=round(time.perf_counter() - start, 4), transfer=UPLOADED)


def cuml():
    import cupy
    import numpy
    from cuml import PCA, KMeans
    from cuml import __version__ as version

    name, finish = f"cuML {version}", cupy.cuda.Device().synchronize
    for rows, width in ((1000000, 64), (200000, 768)):
        host = numpy.random.default_rng(1).standard_normal((rows, width), dtype=numpy.float32)
        for points, transfer in ((cupy.asarray(host), RESIDENT), (host, UPLOADED)):

            def fit():
                KMeans(n_clusters=1000, init="random", n_init=1, max_iter=20, tol=0, random_state=1).fit(points)

            show(peer=name, case=f"Lloyd, {rows:,} x {width}, k 1,000, at most 20 iterations",
                 seconds=round(median_time(fit, finish, rounds=1), 4), transfer=transfer)
    for points, transfer in ((cupy.asarray(host), RESIDENT), (host, UPLOADED)):
        seconds = median_time(lambda: PCA(n_components=50).fit_transform(points), finish)
        show(peer=name, case="PCA of 200,000 x 768 to 50", seconds=round(seconds, 4), transfer=transfer)


choose_gpu()
for title, peer in (("PyTorch", pytorch), ("faiss", faiss), ("cuML", cuml)):
    try:
        peer()
    except ImportError as error:
        show(note=f"{title} is not installed ({error})")
    except Exception as error:  # one peer's failure must not hide the others
        show(note=f"{title} failed: {type(error).__name__}: {str(error)[:200]}")
print("]")
