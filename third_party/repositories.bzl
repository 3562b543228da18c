# SPDX-License-Identifier: Apache-2.0
"""Every third-party dependency. The Debian packages are listed in packages.txt."""

load("//third_party:system.bzl", "system_repository")
load("//third_party/cuda:cuda.bzl", "cuda_repository")

def third_party_repositories():
    # Static: it halves a tool's start-up time against some sixty small shared libraries.
    system_repository(
        name = "absl",
        all_static = "libabsl_",
        build_file = "//third_party/absl:absl.BUILD",
        headers = ["absl"],
        linkopts = ["-lrt", "-pthread"],
        package = "libabsl-dev",
    )
    system_repository(
        name = "com_google_protobuf",
        build_file = "//third_party/protobuf:protobuf.BUILD",
        headers = ["google/protobuf"],
        libs = ["protobuf"],
        linkopts = ["-lz", "-pthread"],
        package = "libprotobuf-dev protobuf-compiler",
        tools = ["protoc"],
    )

    # Static: the shared libLLVM holds every target, and loading it takes three times as long.
    system_repository(
        name = "llvm",
        build_file = "//third_party/llvm:llvm.BUILD",
        headers = ["llvm", "llvm-c"],
        include_root = "/usr/lib/llvm-19/include",
        linkopts = ["-pthread"],
        llvm_components = ["orcjit", "x86", "nvptx", "passes", "native"],
        llvm_config = "llvm-config-19",
        package = "llvm-19-dev",
    )
    system_repository(
        name = "onednn",
        build_file = "//third_party/onednn:onednn.BUILD",
        headers = [
            "dnnl.h",
            "dnnl.hpp",
            "dnnl_config.h",
            "dnnl_debug.h",
            "dnnl_threadpool.h",
            "dnnl_threadpool.hpp",
            "dnnl_threadpool_iface.hpp",
            "dnnl_types.h",
            "dnnl_version.h",
            "oneapi",
        ],
        libs = ["dnnl"],
        package = "libdnnl-dev",
    )
    system_repository(
        name = "libzip",
        build_file = "//third_party/libzip:libzip.BUILD",
        headers = ["zip.h", "zipconf.h"],
        libs = ["zip"],
        package = "libzip-dev",
    )
    system_repository(
        name = "json",
        build_file = "//third_party/json:json.BUILD",
        headers = ["nlohmann"],
        package = "nlohmann-json3-dev",
    )
    system_repository(
        name = "dlpack",
        build_file = "//third_party/dlpack:dlpack.BUILD",
        headers = ["dlpack"],
        package = "libdlpack-dev",
    )
    system_repository(
        name = "mpfr",
        build_file = "//third_party/mpfr:mpfr.BUILD",
        headers = ["mpfr.h"],
        libs = ["mpfr", "gmp"],
        package = "libmpfr-dev",
    )
    system_repository(
        name = "gtest",
        build_file = "//third_party/gtest:gtest.BUILD",
        headers = ["gmock", "gtest"],
        libs = ["gmock", "gtest"],
        linkopts = ["-pthread"],
        package = "libgtest-dev libgmock-dev",
    )
    system_repository(
        name = "benchmark",
        build_file = "//third_party/benchmark:benchmark.BUILD",
        headers = ["benchmark"],
        libs = ["benchmark"],
        linkopts = ["-pthread"],
        package = "libbenchmark-dev",
    )

    # For examples/text_recognition.
    system_repository(
        name = "png",
        build_file = "//third_party/png:png.BUILD",
        headers = ["png.h", "pngconf.h", "pnglibconf.h"],
        libs = ["png16", "z"],
        linkopts = ["-lm"],
        package = "libpng-dev",
    )
    system_repository(
        name = "turbojpeg",
        build_file = "//third_party/turbojpeg:turbojpeg.BUILD",
        headers = ["turbojpeg.h"],
        libs = ["turbojpeg"],
        package = "libturbojpeg0-dev",
    )

    # Optional: without a toolkit the repository holds empty stand-ins.
    cuda_repository(name = "cuda")
