"""scikit-learn-intelex, which computes with oneDAL and is made for x86 alone.

It hands work that it does not support to scikit-learn, and only its log says so: every call here is checked by that log, so
that no time is taken for another program's.
"""

import importlib.metadata
import logging
import platform

NAME = "scikit-learn-intelex"


class LeftOut(Exception):
    """A case that has no time worth comparing, with the reason."""


class Log(logging.Handler):
    """The lines of the package's log."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


class Accelerated:
    """Its estimators; the first two raise LeftOut where the package left the work to scikit-learn."""

    def __init__(self):
        from onedal.cluster import kmeans_plusplus
        from sklearnex.cluster import KMeans
        from sklearnex.decomposition import PCA

        self.version = importlib.metadata.version(NAME)
        self._k_means, self._pca = KMeans, PCA
        # scikit-learn's function of that name has no counterpart in sklearnex; this is what its KMeans starts from.
        self._plus_plus = kmeans_plusplus
        self.log = Log()
        logger = logging.getLogger("sklearnex")
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.handlers = [self.log]

    def checked(self, work):
        """The result of `work`, which the log must call accelerated."""
        self.log.lines.clear()
        result = work()
        if not self.log.lines or not all("running accelerated version" in line for line in self.log.lines):
            raise LeftOut(f"not accelerated: {'; '.join(self.log.lines) or 'nothing in its log'}")
        return result

    def k_means(self, x, k, threads, **options):
        """A KMeans of scikit-learn's options, fitted to x on so many threads."""
        return self.checked(lambda: self._k_means(k, n_jobs=threads, **options).fit(x))

    def pca(self, x, components, threads):
        """x projected to so many components of its own."""
        return self.checked(lambda: self._pca(components, n_jobs=threads).fit_transform(x))

    def plus_plus(self, x, k, random_state):
        """The points that a greedy k-means++ start takes, [k, columns]; all threads."""
        return self._plus_plus(x, k, random_state=random_state)[0]


def load():
    """(Accelerated, None), or (None, the sentence that says why there is none)."""
    try:
        return Accelerated(), None
    except ImportError as error:
        machine = platform.machine()
        if machine.lower() not in ("x86_64", "amd64"):
            return None, f"{NAME} is made for x86 alone, and this is {machine}"
        return None, f"{NAME} cannot be imported ({error}): install what tools/python/requirements.txt lists"
