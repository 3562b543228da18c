// SPDX-License-Identifier: Apache-2.0
//
// The command line of the tools: `--name value` or `--name=value`, in any order, positional arguments between
// them; `--` ends the flags. A flag that takes one value and is given again takes the last one.
#ifndef TENFOLD_TOOLS_FLAGS_H_
#define TENFOLD_TOOLS_FLAGS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tenfold/tools/exit_status.h"

namespace tenfold {

// What `--help` shows besides the flags.
struct ToolHelp {
  std::string tool;      // "tenfold-run"
  std::string synopsis;  // "MODEL [FLAGS]"
  std::string purpose;
  std::string examples;  // lines
};

class Flags {
 public:
  explicit Flags(ToolHelp help) : help_(std::move(help)) {}

  // --- Declaring; `out` must outlive the parser and holds the default. `value` names the value in --help.
  // ---

  void Switch(std::string name, bool* out, std::string doc);
  void Text(std::string name, std::string value, std::string* out, std::string doc);
  // May be given any number of times.
  void List(std::string name, std::string value, std::vector<std::string>* out, std::string doc);
  // 0 <= min.
  template <typename Int>
  void Integer(std::string name, Int min, Int max, Int* out, std::string doc);
  // A number of bytes: 1000000, 64MiB; KiB, MiB, GiB and TiB are powers of 1024.
  void Bytes(std::string name, int64_t* out, std::string doc);
  // Finite and not negative.
  void Number(std::string name, double* out, std::string doc);
  // What stays nullopt if it is not given.
  void Number(std::string name, std::optional<double>* out, std::string doc);
  // One of a few words.
  template <typename Enum>
  void Choice(std::string name, std::vector<std::pair<std::string, Enum>> choices, Enum* out,
              std::string doc);
  // What none of the above fits: `set` gives a complaint ("is no device"), or nothing.
  using Setter = std::function<std::string(absl::string_view value)>;
  void Custom(std::string name, std::string value, std::string doc, Setter set);
  // `-o x.tnf` and `-ox.tnf` for `--output x.tnf`.
  void Letter(char letter, std::string name);

  // --- Parsing ---

  // Errors have one line for the user, and no code.
  absl::Status Parse(std::span<const std::string> arguments);
  const std::vector<std::string>& positional() const { return positional_; }
  bool help_wanted() const { return help_wanted_; }
  std::string HelpText() const;

  // For main: the flags of the environment variable TENFOLD_FLAGS, then those of the command line. Ends the
  // process if there is nothing more to do: help was asked for, or the usage is wrong.
  void ParseOrExit(int argc, char** argv);
  // Ends the process with the message and a pointer to --help.
  [[noreturn]] void UsageError(absl::string_view message) const;

 private:
  struct Flag {
    std::string name;   // "--rtol"
    std::string value;  // empty: takes none
    std::string doc;
    Setter set;
    char letter = 0;
  };
  const Flag* Find(absl::string_view name) const;
  absl::Status ParseLong(std::span<const std::string> arguments, size_t& i);
  absl::Status ParseLetter(std::span<const std::string> arguments, size_t& i);
  absl::Status Set(const Flag& flag, absl::string_view value);
  static std::string ReadInteger(absl::string_view text, uint64_t min, uint64_t max, uint64_t* out);

  ToolHelp help_;
  std::vector<Flag> flags_;
  std::vector<std::string> positional_;
  bool help_wanted_ = false;
};

// "64MiB" where it is whole, else "1000000": text that Bytes reads back.
std::string BytesToString(int64_t bytes);

// The words of TENFOLD_FLAGS: separated by white space; '...' and "..." keep it.
absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view text);

// ---------------------------------------------------------------------------------------------------------

template <typename Int>
void Flags::Integer(std::string name, Int min, Int max, Int* out, std::string doc) {
  Custom(std::move(name), "N", std::move(doc), [min, max, out](absl::string_view text) {
    uint64_t value = 0;
    std::string complaint = ReadInteger(text, static_cast<uint64_t>(min), static_cast<uint64_t>(max), &value);
    if (complaint.empty()) *out = static_cast<Int>(value);
    return complaint;
  });
}

template <typename Enum>
void Flags::Choice(std::string name, std::vector<std::pair<std::string, Enum>> choices, Enum* out,
                   std::string doc) {
  std::string words;
  for (const auto& choice : choices) absl::StrAppend(&words, words.empty() ? "" : "|", choice.first);
  Custom(std::move(name), words, std::move(doc),
         [choices = std::move(choices), words, out](absl::string_view text) {
           for (const auto& [word, value] : choices) {
             if (text == word) return *out = value, std::string();
           }
           return absl::StrCat("is none of ", words);
         });
}

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_FLAGS_H_
