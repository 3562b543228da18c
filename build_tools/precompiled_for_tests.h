// SPDX-License-Identifier: Apache-2.0
//
// As precompiled.h, for tests.
#ifndef TENFOLD_BUILD_TOOLS_PRECOMPILED_FOR_TESTS_H_
#define TENFOLD_BUILD_TOOLS_PRECOMPILED_FOR_TESTS_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tenfold/build_tools/precompiled.h"

#endif  // TENFOLD_BUILD_TOOLS_PRECOMPILED_FOR_TESTS_H_
