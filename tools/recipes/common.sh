# Shared by the recipes' scripts beside it, which source it: their Python. Not for running by itself.
# shellcheck shell=bash

here=$PWD
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

# run_recipe PROGRAM [ARGUMENT...]: becomes tools/python/PROGRAM.py, in the folder that the script was started in.
run_recipe() {
    local program=$1
    shift
    ensure_recipes_python
    cd "$here"
    PYTHONDONTWRITEBYTECODE=1 exec "$python" "$root/tools/python/$program.py" "$@"
}
