# Shared by the recipes' scripts beside it, which source it: their Python. Not for running by itself.
# shellcheck shell=bash

here=$PWD
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

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
        say "making .venv/recipes with PyTorch and the packages of the recipes (0.8 GB, more where only PyTorch with CUDA is found)"
        rm -f "$environment/complete"
        python3 -m venv "$environment"
        { install_torch && "$python" -m pip install -q -r "$packages" >&2; } ||
            fail 75 "pip could not install what tools/python/recipes-requirements.txt lists: try again later"
        cp "$packages" "$environment/complete"
    fi
    exec 9>&-
}

# run_recipe PROGRAM [ARGUMENT...]: becomes tools/python/PROGRAM.py, in the folder that the script was started in.
run_recipe() {
    local program=$1
    shift
    ensure_recipes_python
    cd "$here"
    PYTHONDONTWRITEBYTECODE=1 exec "$python" "$root/tools/python/$program.py" "$@"
}
