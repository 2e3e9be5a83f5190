# Shared by the scripts beside it, which source it: where things are, system packages, Python. Not for running by itself.
# shellcheck shell=bash

# The script itself: $0 may be relative to the folder that is left below.
script=$(cd "$(dirname "$0")" && pwd)/${0##*/}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# fail STATUS SENTENCE
fail() {
    local status=$1
    shift
    say "$*"
    exit "$status"
}

# Prints the comment block at the top of the calling script when --help stands in its arguments, and ends it.
help_if_asked() {
    local argument
    for argument in "$@"; do
        if [[ $argument == --help || $argument == -h ]]; then
            sed -n '2,/^$/{/^$/q;s/^# \{0,1\}//;p}' "$script"
            exit 0
        fi
    done
}

# Installs those of the named Debian packages that are missing; asks apt for nothing when all are there.
ensure_packages() {
    local package missing=() become=()
    command -v dpkg-query >/dev/null || {
        say "not a Debian or Ubuntu system: please see to the counterparts of: $*"
        return 0
    }
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    say "installing with apt: ${missing[*]}"
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail 75 "not root and no sudo: install these and run me again: ${missing[*]}"
        become=(sudo)
    fi
    # An index that is there already may do; it is fetched again only when it does not.
    "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2 ||
        { "${become[@]}" apt-get update -q >&2 &&
            "${become[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y -q --no-install-recommends "${missing[@]}" >&2; } ||
        fail 75 "apt could not install: ${missing[*]}"
}

# What building and running want. libopenblas-serial-dev is a LAPACK without threads of its own: the threaded one's spin
# after every call and take the cores from the kernels. PoCL is the OpenCL device that every machine can have.
# gnuplot draws the plots of reports, with letters of a font.
ensure_system() {
    local packages=(zlib1g-dev libpng-dev libjpeg-dev libssl-dev liblapacke-dev libopenblas-serial-dev opencl-headers
        ocl-icd-opencl-dev ocl-icd-libopencl1 pocl-opencl-icd dataset-fashion-mnist gnuplot-nox fonts-dejavu-core)
    # `coppice data fetch` runs either.
    command -v curl >/dev/null || command -v wget >/dev/null || packages+=(curl ca-certificates)
    # Swift links with the C and C++ libraries of the system's compiler; its own images have them without the compiler.
    compgen -G '/usr/lib/gcc/*/*/libstdc++.so' >/dev/null || packages+=(g++)
    ensure_packages "${packages[@]}"
    command -v swift >/dev/null ||
        fail 69 "swift is not on the PATH: Coppice wants Swift 6.2 or later, from https://www.swift.org/install/linux"
}

# Installs PyTorch for `$python`. The build without CUDA is much smaller; where the index does not have it, the common one
# does as well.
install_torch() {
    { "$python" -m pip install -q "torch==2.13.0+cpu" 2>/dev/null ||
        "$python" -m pip install -q "torch==2.13.0"; } >&2
}

# Sets `python` to an interpreter with PyTorch and the other peers: $COPPICE_PYTHON, else one in .venv/peers, which is made
# the first time, and completed when the list of packages has changed.
ensure_python() {
    local environment=$root/.venv/peers packages=$root/tools/python/requirements.txt
    python=${COPPICE_PYTHON:-$environment/bin/python}
    if [[ -z ${COPPICE_PYTHON:-} ]] && ! cmp -s "$packages" "$environment/complete"; then
        ensure_packages python3-venv
        say "making .venv/peers with what tools/python/requirements.txt lists (1.6 GB, more where PyTorch has CUDA)"
        rm -f "$environment/complete"
        python3 -m venv "$environment"
        { install_torch && "$python" -m pip install -q -r "$packages" >&2; } ||
            fail 75 "pip could not install what tools/python/requirements.txt lists: try again later"
        cp "$packages" "$environment/complete"
    fi
    "$python" -c 'import torch' 2>/dev/null ||
        fail 69 "$python has no PyTorch: unset COPPICE_PYTHON to have .venv/peers made, or name another"
    export PYTHONPATH=$root/tools/python PYTHONDONTWRITEBYTECODE=1
}

# Sets `python` to an interpreter with what the recipes need: $COPPICE_RECIPES_PYTHON, else one in .venv/recipes, which is
# made the first time, and again when the list of packages has changed.
ensure_recipes_python() {
    local environment=$root/.venv/recipes packages=$root/tools/python/recipes-requirements.txt
    python=${COPPICE_RECIPES_PYTHON:-$environment/bin/python}
    if [[ -n ${COPPICE_RECIPES_PYTHON:-} ]]; then
        "$python" -c 'import torch, numpy' 2>/dev/null ||
            fail 69 "$python has no torch or numpy: unset COPPICE_RECIPES_PYTHON to have .venv/recipes made, or name another"
        return
    fi
    ! cmp -s "$packages" "$environment/complete" || return 0
    ensure_packages python3-venv
    # Two scripts may be started at once.
    mkdir -p "$root/.venv"
    exec 9>"$root/.venv/recipes.lock"
    flock 9
    if ! cmp -s "$packages" "$environment/complete"; then
        say "making .venv/recipes with PyTorch and the packages of the recipes (1 GB, more where only PyTorch with CUDA is found)"
        rm -f "$environment/complete"
        python3 -m venv "$environment"
        { install_torch && "$python" -m pip install -q -r "$packages" >&2; } ||
            fail 75 "pip could not install what tools/python/recipes-requirements.txt lists: try again later"
        cp "$packages" "$environment/complete"
    fi
    exec 9>&-
}

# Installs an MPI of PyPI, such as mpich==5.0.2, in .venv under its name without the version.
ensure_pypi_mpi() {
    local folder=.venv/${1%%=*}
    [[ ! -f $folder/complete ]] || return 0
    ensure_packages python3-venv
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install -q "$1" >&2 || fail 75 "pip could not install $1"
    touch "$folder/complete"
}
