# SPDX-License-Identifier: Apache-2.0
"""The C++ rules of this repository: warnings are errors, and headers are included as "tenfold/<package>/<file>.h"."""

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

def tenfold_cc_library(name, hdrs = [], copts = [], **kwargs):
    """A library whose headers are included as "tenfold/<package>/<file>.h", also by its own sources.

    Put internal headers into `hdrs` of a target with private visibility: a header in `srcs` has no prefix.

    Args:
      name: the target's name.
      hdrs: its headers.
      copts: further compiler options.
      **kwargs: as for cc_library.
    """
    package = native.package_name()
    native.cc_library(
        name = name,
        hdrs = hdrs,
        copts = _COPTS + copts,
        include_prefix = "tenfold/" + package if hdrs else None,
        linkstatic = True,
        strip_include_prefix = "/" + package if hdrs else None,
        **kwargs
    )

def tenfold_cc_binary(name, copts = [], **kwargs):
    """A program. Everything but the C library and what Debian ships only as shared libraries is linked statically."""
    native.cc_binary(name = name, copts = _COPTS + copts, **kwargs)

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
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        copts = _COPTS + _UNOPTIMISED + copts,
        deps = deps + ["@gtest//:gtest_main"],
        **kwargs
    )
