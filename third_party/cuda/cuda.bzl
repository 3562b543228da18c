# SPDX-License-Identifier: Apache-2.0
"""The CUDA toolkit, where the machine has one.

Targets of the repository, which exist with and without a toolkit:

    :cuda           headers and the static runtime; defines TENFOLD_HAVE_CUDA_TOOLKIT as 0 or 1
    :nvcc, :ptxas   the tools, as files to run; without a toolkit they fail and say why
    :defs.bzl       CUDA_FOUND, for BUILD files that add targets
"""

_BUILD = """
package(default_visibility = ["//visibility:public"])

exports_files(["bin/nvcc", "bin/ptxas"])

cc_library(
    name = "cuda",
    hdrs = glob(["include/*.h", "include/*.hpp", "include/crt/**"]),
    defines = ["TENFOLD_HAVE_CUDA_TOOLKIT=%d"],
    includes = ["include"],
    linkopts = %r,
)

filegroup(name = "nvcc", srcs = ["bin/nvcc"])

filegroup(name = "ptxas", srcs = ["bin/ptxas"])
"""

def _cuda_repository_impl(rctx):
    root = rctx.path(rctx.os.environ.get("CUDA_HOME", "") or "/usr/local/cuda")
    found = root.get_child("bin").get_child("nvcc").exists
    linkopts = []
    if found:
        rctx.symlink(root.get_child("include"), "include")
        linkopts = ["-L%s/lib64" % root, "-l:libcudart_static.a", "-ldl", "-lrt", "-pthread"]
    else:
        rctx.file("include/.keep", "")
    for tool in ["nvcc", "ptxas"]:
        # A script, not a symlink: nvcc looks for its parts beside the path that it was called by.
        command = "exec '%s/bin/%s' \"$@\"" % (root, tool)
        if not found:
            command = "echo '%s: no CUDA toolkit was found; set CUDA_HOME' >&2\nexit 127" % tool
        rctx.file("bin/" + tool, "#!/bin/sh\n%s\n" % command, executable = True)
    rctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % rctx.name)
    rctx.file("defs.bzl", "CUDA_FOUND = %r\n" % found)
    rctx.file("BUILD.bazel", _BUILD % (1 if found else 0, linkopts))

cuda_repository = repository_rule(
    implementation = _cuda_repository_impl,
    environ = ["CUDA_HOME"],
    local = True,
)
