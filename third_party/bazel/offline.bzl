# SPDX-License-Identifier: Apache-2.0
"""Local stand-ins for the rule sets that Bazel 4 would download, even for a pure C++ build.

Bazel still has all of these rules built in, so the stand-ins only re-export them.
"""

_CC = """
cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
"""

_JAVA = """
java_binary = native.java_binary
java_import = native.java_import
java_library = native.java_library
java_plugin = native.java_plugin
java_runtime = native.java_runtime
java_test = native.java_test
java_toolchain = native.java_toolchain
"""

_PROTO = """
proto_library = native.proto_library
proto_lang_toolchain = native.proto_lang_toolchain
"""

def _rules_impl(rctx):
    rctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % rctx.name)
    rctx.file("BUILD.bazel", "")
    rctx.file(rctx.attr.package + "/BUILD.bazel", "exports_files([\"defs.bzl\"])\n")
    rctx.file(rctx.attr.package + "/defs.bzl", rctx.attr.content)

_rules = repository_rule(
    implementation = _rules_impl,
    attrs = {"package": attr.string(), "content": attr.string()},
)

# Test rules name these tools although only `bazel coverage` runs them.
_COVERAGE_TOOLS = ["lcov_merger", "coverage_report_generator"]

def _coverage_tools_impl(rctx):
    rctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % rctx.name)
    rctx.file("unsupported.sh", "#!/bin/sh\necho 'bazel coverage is not set up here' >&2\nexit 1\n")
    rctx.file("BUILD.bazel", "".join([
        "sh_binary(name = \"%s\", srcs = [\"unsupported.sh\"], visibility = [\"//visibility:public\"])\n" % tool
        for tool in _COVERAGE_TOOLS
    ]))

_coverage_tools = repository_rule(implementation = _coverage_tools_impl)

def offline_bazel_repositories():
    _rules(name = "rules_cc", package = "cc", content = _CC)
    _rules(name = "rules_java", package = "java", content = _JAVA)
    _rules(name = "rules_proto", package = "proto", content = _PROTO)
    _coverage_tools(name = "remote_coverage_tools")
