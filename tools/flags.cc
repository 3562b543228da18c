// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/flags.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

struct ByteUnit {
  absl::string_view suffix;
  int64_t bytes;
};
constexpr ByteUnit kByteUnits[] = {{"TiB", int64_t{1} << 40},
                                   {"GiB", int64_t{1} << 30},
                                   {"MiB", int64_t{1} << 20},
                                   {"KiB", int64_t{1} << 10}};

// A complaint, or nothing.
std::string ReadNumber(absl::string_view text, double& out) {
  double value = 0;
  if (!absl::SimpleAtod(text, &value) || !std::isfinite(value) || value < 0)
    return "is no finite number that is at least 0";
  return out = value, "";
}

absl::Status Usage(std::string message) { return absl::InvalidArgumentError(message); }

}  // namespace

void Flags::Custom(std::string name, std::string value, std::string doc, Setter set) {
  flags_.push_back({absl::StrCat("--", name), std::move(value), std::move(doc), std::move(set)});
}

void Flags::Switch(std::string name, bool* out, std::string doc) {
  Custom(std::move(name), "", std::move(doc),
         [out](absl::string_view) { return *out = true, std::string(); });
}

void Flags::Text(std::string name, std::string value, std::string* out, std::string doc) {
  Custom(std::move(name), std::move(value), std::move(doc), [out](absl::string_view text) {
    return *out = std::string(text), std::string(text.empty() ? "is empty" : "");
  });
}

void Flags::List(std::string name, std::string value, std::vector<std::string>* out, std::string doc) {
  Custom(std::move(name), std::move(value), std::move(doc),
         [out](absl::string_view text) { return out->emplace_back(text), std::string(); });
}

void Flags::Number(std::string name, double* out, std::string doc) {
  Custom(std::move(name), "X", std::move(doc),
         [out](absl::string_view text) { return ReadNumber(text, *out); });
}

void Flags::Number(std::string name, std::optional<double>* out, std::string doc) {
  Custom(std::move(name), "X", std::move(doc),
         [out](absl::string_view text) { return ReadNumber(text, out->emplace(0)); });
}

void Flags::Bytes(std::string name, int64_t* out, std::string doc) {
  Custom(std::move(name), "BYTES", std::move(doc), [out](absl::string_view text) {
    int64_t unit = 1, count = 0, bytes = 0;
    for (const ByteUnit& each : kByteUnits) {
      if (absl::ConsumeSuffix(&text, each.suffix)) unit = each.bytes;
    }
    if (!absl::SimpleAtoi(text, &count) || count < 0 || __builtin_mul_overflow(count, unit, &bytes)) {
      return std::string("is no number of bytes such as 1000000 or 64MiB");
    }
    return *out = bytes, std::string();
  });
}

std::string BytesToString(int64_t bytes) {
  for (const ByteUnit& unit : kByteUnits) {
    if (bytes > 0 && bytes % unit.bytes == 0) return absl::StrCat(bytes / unit.bytes, unit.suffix);
  }
  return absl::StrCat(bytes);
}

std::string Flags::ReadInteger(absl::string_view text, uint64_t min, uint64_t max, uint64_t* out) {
  if (absl::SimpleAtoi(text, out) && *out >= min && *out <= max) return "";
  if (max >= uint64_t{INT64_MAX}) return absl::StrCat("is no integer that is at least ", min);
  return absl::StrCat("is no integer from ", min, " to ", max);
}

void Flags::Letter(char letter, std::string name) {
  const std::string full = absl::StrCat("--", name);
  for (Flag& flag : flags_) {
    if (flag.name == full) flag.letter = letter;
  }
}

const Flags::Flag* Flags::Find(absl::string_view name) const {
  for (const Flag& flag : flags_) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

absl::Status Flags::Set(const Flag& flag, absl::string_view value) {
  const std::string complaint = flag.set(value);
  if (complaint.empty()) return absl::OkStatus();
  return Usage(absl::StrCat(flag.name, ": '", Printable(value), "' ", complaint));
}

absl::Status Flags::ParseLong(std::span<const std::string> arguments, size_t& i) {
  const std::string& argument = arguments[i];
  const size_t equals = argument.find('=');
  const std::string name = argument.substr(0, equals);
  if (name == "--help" && equals == std::string::npos) return help_wanted_ = true, absl::OkStatus();
  const Flag* const flag = Find(name);
  if (flag == nullptr) {
    std::vector<std::string> names = {"--help"};
    for (const Flag& known : flags_) names.push_back(known.name);
    const std::string nearest = NearestName(name, names);
    return Usage(absl::StrCat("unknown flag '", Printable(name), "'",
                              nearest.empty() ? "" : absl::StrCat("; did you mean '", nearest, "'?")));
  }
  if (flag->value.empty()) {
    if (equals != std::string::npos) return Usage(absl::StrCat(name, " takes no value"));
    return Set(*flag, "");
  }
  if (equals != std::string::npos) return Set(*flag, argument.substr(equals + 1));
  if (i + 1 == arguments.size()) return Usage(absl::StrCat(name, " needs a value: ", name, " ", flag->value));
  return Set(*flag, arguments[++i]);
}

absl::Status Flags::ParseLetter(std::span<const std::string> arguments, size_t& i) {
  const std::string& argument = arguments[i];
  for (const Flag& flag : flags_) {
    if (flag.letter == 0 || flag.letter != argument[1]) continue;
    if (argument.size() > 2) return Set(flag, argument.substr(2));
    if (i + 1 == arguments.size()) {
      return Usage(absl::StrCat(argument, " needs a value: ", argument, " ", flag.value));
    }
    return Set(flag, arguments[++i]);
  }
  std::vector<std::string> meant;
  for (const Flag& flag : flags_) {
    if (flag.name[2] == argument[1]) meant.push_back(absl::StrCat("'", flag.name, "'"));
  }
  return Usage(
      absl::StrCat("unknown flag '", Printable(argument), "'",
                   meant.empty() ? "" : absl::StrCat("; did you mean ", absl::StrJoin(meant, " or "), "?")));
}

absl::Status Flags::Parse(std::span<const std::string> arguments) {
  bool flags_ended = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (flags_ended || argument.size() < 2 || argument[0] != '-') {
      positional_.push_back(argument);
    } else if (argument == "--") {
      flags_ended = true;
    } else if (argument[1] == '-') {
      TENFOLD_RETURN_IF_ERROR(ParseLong(arguments, i));
    } else {
      TENFOLD_RETURN_IF_ERROR(ParseLetter(arguments, i));
    }
  }
  return absl::OkStatus();
}

std::string Flags::HelpText() const {
  std::string text =
      absl::StrCat("usage: ", help_.tool, " ", help_.synopsis, "\n\n", help_.purpose, "\n\nflags:\n");
  for (const Flag& flag : flags_) {
    std::string head = absl::StrCat("  ", flag.name, flag.value.empty() ? "" : " ", flag.value);
    if (flag.letter != 0) absl::StrAppend(&head, ", -", std::string(1, flag.letter), flag.value);
    absl::StrAppend(&text, head, "\n");
    for (absl::string_view line : absl::StrSplit(flag.doc, '\n'))
      absl::StrAppend(&text, "      ", line, "\n");
  }
  absl::StrAppend(&text, "  --help\n      This text.\n\nexamples:\n");
  for (absl::string_view line : absl::StrSplit(help_.examples, '\n'))
    absl::StrAppend(&text, "  ", line, "\n");
  absl::StrAppend(&text, "\nThe environment variable TENFOLD_FLAGS holds flags that are read before these.\n",
                  "exit status: 0 done, 1 the input was refused, 2 wrong usage, 3 a comparison failed, or\n",
                  "--validate found something, 4 the run failed, 70 a bug of Tenfold\n");
  return text;
}

void Flags::ParseOrExit(int argc, char** argv) {
  if (const char* variable = std::getenv("TENFOLD_FLAGS")) {
    const absl::StatusOr<std::vector<std::string>> words = SplitWords(variable);
    const absl::Status status = words.ok() ? Parse(*words) : words.status();
    if (!status.ok()) UsageError(absl::StrCat("TENFOLD_FLAGS: ", status.message()));
    if (!positional_.empty()) {
      UsageError(absl::StrCat("TENFOLD_FLAGS: '", Printable(positional_[0]), "' is no flag"));
    }
  }
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const absl::Status status = Parse(arguments);
  if (help_wanted_) {
    std::fputs(HelpText().c_str(), stdout);
    Exit(ExitStatus::kDone);
  }
  if (!status.ok()) UsageError(status.message());
}

void Flags::UsageError(absl::string_view message) const {
  std::fprintf(stderr, "%s: %s\n  %s --help lists the flags, with examples\n", help_.tool.c_str(),
               std::string(message).c_str(), help_.tool.c_str());
  Exit(ExitStatus::kUsage);
}

absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        words.back() += c;
      continue;
    }
    const bool space = c == ' ' || c == '\t' || c == '\n';
    if (!space && !in_word) words.emplace_back();
    in_word = !space;
    if (c == '\'' || c == '"')
      quote = c;
    else if (!space)
      words.back() += c;
  }
  if (quote != 0) return Usage(absl::StrCat("a quote ", std::string(1, quote), " is not closed"));
  return words;
}

}  // namespace tenfold
