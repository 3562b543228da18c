# SPDX-License-Identifier: Apache-2.0
"""Installed Debian packages as Bazel repositories."""

def _multiarch(rctx):
    result = rctx.execute(["gcc", "-print-multiarch"])
    if result.return_code != 0:
        fail("gcc not found: apt-get install g++")
    return result.stdout.strip()

def _llvm_libraries(rctx):
    """The linker's arguments for the LLVM components in `rctx.attr.llvm_components`."""
    config = rctx.attr.llvm_config
    result = rctx.execute([config, "--link-static", "--libs", "--system-libs"] + rctx.attr.llvm_components)
    if result.return_code != 0:
        fail("%s failed: %s" % (config, result.stderr))
    words = result.stdout.replace("\n", " ").split(" ")
    folder = rctx.execute([config, "--libdir"]).stdout.strip()
    archives = ["%s/lib%s.a" % (folder, word[2:]) for word in words if word.startswith("-lLLVM")]
    system = [word for word in words if word and not word.startswith("-lLLVM")]
    return archives, system

def _linkopts(rctx):
    folder = rctx.path("/usr/lib/" + _multiarch(rctx))
    names = [entry.basename for entry in folder.readdir()] if rctx.attr.all_static else []
    system = []
    archives = sorted(["-l:" + n for n in names if n.startswith(rctx.attr.all_static) and n.endswith(".a")])
    for lib in rctx.attr.libs:
        has_archive = folder.get_child("lib%s.a" % lib).exists
        (archives if has_archive else system).append("-l:lib%s.a" % lib if has_archive else "-l" + lib)
    if rctx.attr.llvm_components:
        archives, system = _llvm_libraries(rctx)
    if len(archives) > 1:
        # Archives of one package refer to each other in both directions.
        archives = ["-Wl,--start-group"] + archives + ["-Wl,--end-group"]
    # Not every program reaches the code that needs a shared library (LLVM's needs libxml2, which needs ICU).
    return archives + ["-Wl,--push-state,--as-needed"] + system + rctx.attr.linkopts + ["-Wl,--pop-state"]

def _system_repository_impl(rctx):
    for header in rctx.attr.headers:
        path = rctx.path(rctx.attr.include_root + "/" + header)
        if not path.exists:
            fail("%s not found: apt-get install %s" % (path, rctx.attr.package))
        rctx.symlink(path, "include/" + header)
    for tool in rctx.attr.tools:
        path = rctx.which(tool)
        if not path:
            fail("%s not found: apt-get install %s" % (tool, rctx.attr.package))
        rctx.symlink(path, "bin/" + tool)
    rctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % rctx.name)
    rctx.file("linkopts.bzl", "LINKOPTS = %r\n" % _linkopts(rctx))
    rctx.symlink(rctx.attr.build_file, "BUILD.bazel")

# Only the named headers are linked into the repository: a repository over all of /usr/include, put on the
# include path, breaks the standard library's #include_next.
system_repository = repository_rule(
    implementation = _system_repository_impl,
    doc = "Headers, libraries and tools of one Debian package. Its BUILD file loads LINKOPTS from //:linkopts.bzl.",
    attrs = {
        "all_static": attr.string(doc = "Links every archive whose name starts with this."),
        "build_file": attr.label(mandatory = True),
        "headers": attr.string_list(doc = "Files and folders below include_root."),
        "include_root": attr.string(default = "/usr/include"),
        "libs": attr.string_list(doc = "Linked as archives where the package ships them."),
        "linkopts": attr.string_list(doc = "What the libraries need of the system."),
        "llvm_components": attr.string_list(),
        "llvm_config": attr.string(),
        "package": attr.string(mandatory = True, doc = "The Debian package to name in errors."),
        "tools": attr.string_list(),
    },
    local = True,
)
