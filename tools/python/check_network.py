"""Clusterings of ranks on two hosts, whose network is slow, loses packets and fails; tools/check-network says what is checked.

A host is a process with a network, a name, shared memory and a /sys of its own. Each has a TAP device, and the frames that one
sends are given to the other by a process between them, which works on kernels without the module netem too.
"""

import argparse
import collections
import ctypes
import fcntl
import os
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rank_checks import alone, differences, environment, write_noise

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
CLONE_NEWNET = 0x40000000
MTU = 9000
DELAY, LOSS = 0.02, 0.01
# Seconds within which a clustering must have ended.
LONGEST_RUN = 120


def end_with(sentence: str, code: int = 1) -> None:
    print(f"check-network: {sentence}", file=sys.stderr)
    sys.exit(code)


class Host:
    """A network namespace with a host name, an address and its own shared memory."""

    def __init__(self, number):
        self.name = f"host{number}"
        self.address = f"10.77.0.{number}"
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--uts", "--ipc", "--mount", "setpriv", "--pdeathsig", "KILL", "sleep", "infinity"])
        # From then on its mounts are its own, too.
        while Path(f"/proc/{self.holder.pid}/comm").read_text() != "sleep\n":
            if self.holder.poll() is not None:
                end_with("a network namespace cannot be made: root is needed, and a kernel with namespaces", 69)
            time.sleep(0.01)
        self.namespace = os.stat(f"/proc/{self.holder.pid}/ns/net").st_ino
        self.device = self.open_device()
        self.call("hostname", self.name)
        # MPICH looks for devices in /sys, which is the network's in which it was mounted.
        self.call("mount", "-t", "sysfs", "sysfs", "/sys")
        self.call("mount", "-t", "tmpfs", "tmpfs", "/dev/shm")
        self.call("ip", "link", "set", "lo", "up")
        self.call("ip", "link", "set", "link0", "up", "mtu", str(MTU))
        self.call("ip", "address", "add", f"{self.address}/24", "dev", "link0")

    def inside(self, *command):
        """The command line that runs a command on this host."""
        spaces = ["--net", "--uts", "--ipc", "--mount", f"--wd={os.getcwd()}"]
        return ["nsenter", "--target", str(self.holder.pid), *spaces, *command]

    def call(self, *command):
        subprocess.run(self.inside(*command), check=True)

    def open_device(self):
        """A TAP device stays in the namespace in which it was opened."""
        setns = ctypes.CDLL(None, use_errno=True).setns
        with open("/proc/self/ns/net") as own, open(f"/proc/{self.holder.pid}/ns/net") as other:
            if setns(other.fileno(), CLONE_NEWNET) != 0:
                end_with(f"the network of {self.name} cannot be entered: {os.strerror(ctypes.get_errno())}", 69)
            try:
                device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
                fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"link0", IFF_TAP | IFF_NO_PI))
            except OSError as error:
                end_with(f"no TAP device can be made: {error}", 69)
            finally:
                setns(own.fileno(), CLONE_NEWNET)
        return device

    def processes(self):
        """The processes of this host but for its holder: their names by their numbers."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if (folder / "ns/net").stat().st_ino == self.namespace and int(folder.name) != self.holder.pid:
                    found[int(folder.name)] = (folder / "comm").read_text().strip()
            except OSError:
                pass
        return found

    def kill(self):
        for process in self.processes():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def close(self):
        self.kill()
        self.holder.kill()
        self.holder.wait()
        os.close(self.device)


class Link:
    """The process that carries packets between two hosts, each after a delay, and loses some of them."""

    def __init__(self, hosts, delay, loss, seed):
        devices = [host.device for host in hosts]
        ours, theirs = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            os.close(theirs)
            try:
                carry(devices, ours, delay, loss, random.Random(seed))
            finally:
                os._exit(0)
        os.close(ours)
        self.control = theirs

    def cut(self):
        """From now on every packet is lost, and neither host is told."""
        os.write(self.control, b"0")

    def join(self):
        os.write(self.control, b"1")

    def close(self):
        os.close(self.control)
        os.waitpid(self.process, 0)


def carry(devices, control, delay, loss, numbers):
    """Until the control pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting = collections.deque()
    whole = True
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, device, packet = waiting.popleft()
            try:
                os.write(device, packet)
            except OSError:
                pass  # The device is down, or its queue is full: the packet is lost.
        patience = None if not waiting else max(0, waiting[0][0] - now)
        ready, _, _ = select.select([control, *devices], [], [], patience)
        if control in ready:
            order = os.read(control, 1)
            if not order:
                return
            whole = order == b"1"
        for number, device in enumerate(devices):
            if device not in ready:
                continue
            for _ in range(64):
                try:
                    packet = os.read(device, 65536)
                except OSError:
                    break
                if whole and numbers.random() >= loss:
                    waiting.append((time.monotonic() + delay, devices[1 - number], packet))


class Cluster:
    """Two hosts, the link between them, and the launchers of two MPIs that start ranks on both."""

    def __init__(self, program, mpich, work):
        self.program, self.mpich, self.work = program, mpich, work
        self.hosts = [Host(1), Host(2)]
        self.link = Link(self.hosts, DELAY, LOSS, seed=1)
        for host in self.hosts:
            (work / host.address).write_text(str(host.holder.pid))
        # The launchers call it as they would call ssh: options, a host, a command.
        self.agent = work / "agent"
        self.agent.write_text(
            "#!/bin/sh\n"
            'while [ "${1#-}" != "$1" ]; do shift; done\n'
            "host=$1\nshift\n"
            f'exec nsenter --target "$(cat {work}/$host)" --net --uts --ipc --mount --wd={work} sh -c "$*"\n'
        )
        self.agent.chmod(0o755)

    def start(self, mpi, arguments, more=()):
        """Starts the program on two ranks of each host, from the first host."""
        places = ",".join(f"{host.address}:2" for host in self.hosts)
        if mpi == "openmpi":
            launcher = ["mpirun.openmpi", "--host", places, "-n", "4", "--bind-to", "none"]
            settings = {"plm_rsh_agent": self.agent, "btl": "tcp,vader,self", "btl_tcp_if_include": "link0",
                        "oob_tcp_if_include": "link0"}
            for name, value in settings.items():
                launcher += ["--mca", name, str(value)]
            variables = {}
        else:
            launcher = [f"{self.mpich}/bin/mpiexec", "-hosts", places, "-n", "4", "-launcher", "ssh", "-launcher-exec",
                        str(self.agent), "-iface", "link0"]
            # With UCX, the default, its ranks never notice that a connection is lost.
            variables = {"COPPICE_MPI": f"{self.mpich}/lib/libmpi.so.12", "MPIR_CVAR_CH4_NETMOD": "ofi"}
        with open(self.work / "out", "w") as out, open(self.work / "err", "w") as err:
            return subprocess.Popen(
                self.hosts[0].inside(*launcher, *more, self.program, *arguments),
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment(**variables), cwd=self.work,
            )

    def errors(self):
        return (self.work / "err").read_text(errors="replace")

    def bytes_sent(self):
        """The bytes that the first host has sent over the link."""
        shown = subprocess.run(self.hosts[0].inside("cat", "/sys/class/net/link0/statistics/tx_bytes"),
                               check=True, capture_output=True, text=True)
        return int(shown.stdout)

    def processes(self):
        return {**self.hosts[0].processes(), **self.hosts[1].processes()}

    def wait(self, process, limit, what):
        """Waits until the launcher and everything on both hosts has ended: the launcher's status and the seconds."""
        start = time.monotonic()
        while process.poll() is None or self.processes():
            if time.monotonic() - start > limit:
                end_with(f"{what}: it has not ended after {limit} s: {self.processes()}; its stderr:\n{self.errors()}")
            time.sleep(0.05)
        return process.returncode, time.monotonic() - start

    def close(self):
        for host in self.hosts:
            host.close()
        self.link.close()


class Check:
    def __init__(self, program, mpich, work):
        self.program, self.mpich, self.work = program, mpich, work
        self.samples = work / "X.npy"
        write_noise(self.samples, rows=20_000, columns=16, seed=5)

    def made(self, k, iterations):
        return ["--features", str(self.samples), "--k", str(k), "--kmeans", "lloyd", "--iterations", str(iterations),
                "--device", "cpu"]

    def slow(self):
        """Clusterings, selections and duplicates have the files of one process."""
        cases = [("cluster", *self.made(50, 5), *kind) for kind in ((), ("--pca", "3"), ("--start", "kmeans-parallel"))]
        cases.append(("select", *self.made(50, 5), "--strategy", "furthest", "--size", "3000"))
        cases.append(("dedup", *self.made(20, 3), "--eps", "0.02"))
        for number, case in enumerate(cases):
            folder = self.work / f"alone{number}"
            folder.mkdir()
            alone(self.program, *case, *self.outputs(case, folder))
        for mpi in ("openmpi", "mpich"):
            cluster = Cluster(self.program, self.mpich, self.work)
            try:
                begin = time.monotonic()
                for number, case in enumerate(cases):
                    what = f"{mpi}, {' '.join(case[:1] + case[11:])}"
                    folder = self.work / f"{mpi}{number}"
                    folder.mkdir()
                    sent = cluster.bytes_sent()
                    process = cluster.start(mpi, [*case, *self.outputs(case, folder), "--quiet"])
                    status, _ = cluster.wait(process, LONGEST_RUN, what)
                    if status != 0:
                        end_with(f"{what}: it ended with {status}: {cluster.errors()}")
                    if wrong := differences(folder, self.work / f"alone{number}"):
                        end_with(f"{what}: other files than by one process: {', '.join(wrong)}")
                    # Ranks that found another way than the link would have sent nearly nothing: the launcher's few words.
                    if case[0] == "cluster" and cluster.bytes_sent() - sent < 5 * 50 * 17 * 8:
                        end_with(f"{what}: the ranks do not use the link")
                seconds = time.monotonic() - begin
                print(f"check-network: {mpi}: {len(cases)} commands on 4 ranks of 2 hosts, {1000 * DELAY:.0f} ms apart, with "
                      f"{LOSS:.0%} of packets lost, have the files of one process ({seconds:.0f} s)", file=sys.stderr)
            finally:
                cluster.close()

    @staticmethod
    def outputs(case, folder):
        if case[0] == "cluster":
            return ["--out", str(folder)]
        pairs = ["--pairs", str(folder / "pairs.jsonl")] if case[0] == "dedup" else []
        return ["--out", str(folder / "kept.npy"), "--dropped", str(folder / "dropped.npy"), *pairs]

    def broken(self, mpi, how, limit, more=()):
        """The link fails in the middle of a clustering: everything ends, and --resume has the files of one process."""
        long = ["cluster", *self.made(100, 300)]
        if not (self.work / "long").exists():
            alone(self.program, *long, "--out", str(self.work / "long"))
        what = f"{mpi}, {how}"
        out = self.work / "broken"
        cluster = Cluster(self.program, self.mpich, self.work)
        try:
            if mpi == "mpich":
                for host in cluster.hosts:
                    host.call("sysctl", "-q", "-w", "net.ipv4.tcp_retries2=5")
            process = cluster.start(mpi, [*long, "--out", str(out), "--checkpoint-every", "0", "--quiet"], more)
            start = time.monotonic()
            while not (out / "clustering.checkpoint").exists():
                if process.poll() is not None or time.monotonic() - start > LONGEST_RUN:
                    end_with(f"{what}: there was no checkpoint: {cluster.errors()}")
                time.sleep(0.02)
            if how == "packets vanish":
                cluster.link.cut()
            else:
                cluster.hosts[1].call("ip", "link", "set", "link0", "down")
            status, seconds = cluster.wait(process, limit, what)
            if status == 0:
                end_with(f"{what}: it ended with 0")
            names = sorted(entry.name for entry in out.iterdir())
            if "clustering.checkpoint" not in names or "labels.npy" in names:
                end_with(f"{what}: it left {names}")
        finally:
            cluster.close()
        alone(self.program, *long, "--out", str(out), "--resume")
        if wrong := differences(out, self.work / "long"):
            end_with(f"{what}: resumed, other files than by one process: {', '.join(wrong)}")
        for entry in out.iterdir():
            entry.unlink()
        out.rmdir()
        print(f"check-network: {what}: all ranks ended {seconds:.0f} s later, with {status}, and --resume has the files of one "
              "process", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("mpich", help="folder of MPICH 5")
    parser.add_argument("--only", choices=("slow", "broken"))
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="check-network-") as work:
        check = Check(os.path.abspath(arguments.program), os.path.abspath(arguments.mpich), Path(work))
        if arguments.only != "broken":
            check.slow()
        if arguments.only != "slow":
            keepalive = []
            for name, value in (("time", 10), ("intvl", 5), ("probes", 3)):
                keepalive += ["--mca", f"oob_tcp_keepalive_{name}", str(value)]
            for how in ("packets vanish", "the device of a host is down"):
                check.broken("openmpi", how, 120, keepalive)
                check.broken("mpich", how, 120)


if __name__ == "__main__":
    main()
