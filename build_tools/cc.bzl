# SPDX-License-Identifier: Apache-2.0
"""The C++ rules of this repository: warnings are errors, and headers are included as "tenfold/<package>/<file>.h"."""

load("//build_tools:precompiled_header.bzl", "precompiled_header")

# Not in .bazelrc, where they would also apply to generated protobuf code.
_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",

    # GCC 12 cannot see through std::optional and absl::StatusOr and reports members that are always set.
    "-Wno-maybe-uninitialized",
]

# Fortified libc calls need an optimiser.
_UNOPTIMISED = ["-O0", "-U_FORTIFY_SOURCE"]

# GCC 12 takes some moved strings for accesses out of bounds, and behind a precompiled header no longer sees that the
# code is the standard library's. --config=asan, without such headers, keeps these warnings.
_BEHIND_PRECOMPILED = [
    "-Wno-array-bounds",
    "-Wno-restrict",
    "-Wno-stringop-overflow",
    "-Wno-stringop-overread",
]

def tenfold_precompiled_header(name, hdr, optimised = True, **kwargs):
    """What the rules below can start from.

    Args:
      name: the target's name.
      hdr: the header.
      optimised: whether for libraries, or for tests.
      **kwargs: as for precompiled_header.
    """
    precompiled_header(name = name, hdr = hdr, copts = _COPTS + ([] if optimised else _UNOPTIMISED), **kwargs)

def _precompiled(header, copts):
    """The options, and what to depend on, of sources that start behind a precompiled header.

    It is for one set of options: sources with others of their own do without.
    """
    if header == None or copts:
        return struct(copts = copts, deps = [])
    without = "//build_tools:without_precompiled_headers"
    return struct(
        copts = select({without: [], "//conditions:default": ["-include", "$(BINDIR)/build_tools/%s/%s.h" % (header, header)] + _BEHIND_PRECOMPILED}),
        deps = select({without: [], "//conditions:default": ["//build_tools:" + header]}),
    )

def tenfold_cc_library(name, hdrs = [], deps = [], copts = [], precompiled = "precompiled", **kwargs):
    """A library whose headers are included as "tenfold/<package>/<file>.h", also by its own sources.

    Put internal headers into `hdrs` of a target with private visibility: a header in `srcs` has no prefix.

    Args:
      name: the target's name.
      hdrs: its headers.
      deps: what it depends on.
      copts: further compiler options.
      precompiled: the precompiled header in front of its sources; None: there is none.
      **kwargs: as for cc_library.
    """
    package = native.package_name()
    start = _precompiled(precompiled if "srcs" in kwargs else None, copts)
    native.cc_library(
        name = name,
        hdrs = hdrs,
        copts = _COPTS + start.copts,
        include_prefix = "tenfold/" + package if hdrs else None,
        linkstatic = True,
        strip_include_prefix = "/" + package if hdrs else None,
        deps = deps + start.deps,
        **kwargs
    )

def tenfold_cc_binary(name, deps = [], copts = [], **kwargs):
    """A program. Everything but the C library and what Debian ships only as shared libraries is linked statically.

    Args:
      name: the target's name.
      deps: what it depends on.
      copts: further compiler options.
      **kwargs: as for cc_binary.
    """
    start = _precompiled("precompiled", copts)
    native.cc_binary(name = name, copts = _COPTS + start.copts, deps = deps + start.deps, **kwargs)

def tenfold_cc_test(name, srcs, deps = [], copts = [], size = "small", **kwargs):
    """A GoogleTest (and GoogleMock) program; `main` comes with it.

    Its own sources are not optimised: that would take longer than what most tests compute. What does compute much
    belongs into a library, or passes copts = ["-O2"].

    Args:
      name: the target's name.
      srcs: its sources.
      deps: libraries besides GoogleTest.
      copts: further compiler options.
      size: as for cc_test.
      **kwargs: as for cc_test.
    """
    start = _precompiled("precompiled_for_tests", copts)
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        copts = _COPTS + _UNOPTIMISED + start.copts,
        deps = deps + ["@gtest//:gtest_main"] + start.deps,
        **kwargs
    )
