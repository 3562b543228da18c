# SPDX-License-Identifier: Apache-2.0
"""A header that the compiler reads once for many sources."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _precompiled_header_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    below = cc_common.merge_cc_infos(cc_infos = [dep[CcInfo] for dep in ctx.attr.deps]).compilation_context

    # Compilers look for the precompiled form beside the header that is named on their command line.
    header = ctx.actions.declare_file("%s/%s" % (ctx.label.name, ctx.file.hdr.basename))
    precompiled = ctx.actions.declare_file(header.basename + ".gch", sibling = header)
    ctx.actions.symlink(output = header, target_file = ctx.file.hdr)
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        source_file = header.path,
        output_file = precompiled.path,
        user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + ctx.attr.copts,
        include_directories = below.includes,
        quote_include_directories = below.quote_includes,
        system_include_directories = below.system_includes,
        preprocessor_defines = below.defines,
        use_pic = True,
    )
    ctx.actions.run(
        executable = cc_common.get_tool_for_action(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
        ),
        arguments = ["-x", "c++-header"] + cc_common.get_memory_inefficient_command_line(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        env = cc_common.get_environment_variables(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        inputs = depset([header], transitive = [below.headers, toolchain.all_files]),
        outputs = [precompiled],
        # Clang writes down where it found each header, and wants to find it there again.
        execution_requirements = {"no-cache": "1", "no-sandbox": "1"} if toolchain.compiler == "clang" else {},
        mnemonic = "CppPrecompileHeader",
        progress_message = "Precompiling " + ctx.file.hdr.short_path,
    )
    context = cc_common.create_compilation_context(
        headers = depset([header, precompiled]),
        quote_includes = depset([header.dirname]),
    )
    return [
        DefaultInfo(files = depset([header, precompiled])),
        cc_common.merge_cc_infos(
            cc_infos = [CcInfo(compilation_context = context)] + [dep[CcInfo] for dep in ctx.attr.deps],
        ),
    ]

precompiled_header = rule(
    implementation = _precompiled_header_impl,
    doc = "What depends on it and is compiled with the same options and `-include HEADER` starts behind it.",
    attrs = {
        "hdr": attr.label(allow_single_file = [".h"], mandatory = True),
        "copts": attr.string_list(),
        "deps": attr.label_list(providers = [CcInfo]),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
