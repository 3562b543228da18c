// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/mend.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

const std::vector<Edit> kOneOfEach = {AddArgument{"--cast=x=nearest"}, ReplaceText{4, 9, "Gelu"},
                                      WrapOperand{1, "Cast", "to=f32"},
                                      ReplacePart{ReplacePart::kOperand, 1, "{-1, 784}"}};

TEST(Mend, EditsTravelInTheStatus) {
  Diagnostic d{"E0201", "dims differ", "m.tnt:4:3", {}, {{"do all this", kOneOfEach}, "or think"}};
  const std::vector<Diagnostic> back = DiagnosticsOf(WithNote(ToStatus(d), "a note"));
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].help, d.help);
}

// Part of a mend would be another one.
TEST(Mend, OneEditThatCannotTravelTakesTheOthersAlong) {
  for (const Edit& bad : std::vector<Edit>{AddArgument{"--cast=\xff=nearest"}, ReplaceText{0, 1, "\xc3"},
                                           ReplaceText{0, size_t{1} << 40, "x"}, WrapOperand{0, "\x80", ""},
                                           ReplacePart{ReplacePart::kReference, 0, "\xed\xa0\x80"}}) {
    const Diagnostic d{"E0201", "dims differ", "", {}, {{"both", {kOneOfEach[0], bad}}}};
    const std::vector<Diagnostic> back = DiagnosticsOf(ToStatus(d));
    ASSERT_EQ(back.size(), 1u) << bad.index();
    EXPECT_EQ(back[0].help, std::vector<Mend>{"both"}) << bad.index();
  }
}

TEST(Mend, JsonHasAllOfADiagnosticOnOneLine) {
  const Diagnostic d{"E0201", "dims \"differ\"\n", "m.tnt:4:3", {"a note"}, {{"do all this", kOneOfEach}}};
  EXPECT_EQ(d.ToJson(),
            R"({"code":"E0201","message":"dims \"differ\"\n","location":"m.tnt:4:3","notes":["a note"],)"
            R"("help":[{"text":"do all this","edits":[{"add_argument":"--cast=x=nearest"},)"
            R"({"replace_text":{"begin":4,"end":9,"text":"Gelu"}},)"
            R"({"wrap_operand":{"operand":1,"op":"Cast","arguments":"to=f32"}},)"
            R"({"replace_part":{"part":"operand","operand":1,"text":"{-1, 784}"}}]}],)"
            R"("severity":"error","slug":"shape-mismatch"})");
}

TEST(Mend, JsonNamesWhatIsEmptyToo) {
  Diagnostic remark;
  remark.message = "w: cut \xe2\x82";
  remark.severity = Severity::kRemark;
  EXPECT_EQ(remark.ToJson(),
            "{\"code\":\"\",\"message\":\"w: cut \uFFFD\uFFFD\",\"location\":\"\",\"notes\":[],"
            "\"help\":[],\"severity\":\"remark\",\"slug\":\"\"}");
}

TEST(Mend, AWarningSaysThatItIsOne) {
  Diagnostic warning{"E0201", "dims differ", "", {}, {"think"}};
  warning.severity = Severity::kWarning;
  EXPECT_EQ(warning.ToString(), "warning[E0201 shape-mismatch]: dims differ\n  help: think");
}

TEST(Mend, AFlagIsQuotedForTheShellAndPlainInTheEdit) {
  EXPECT_EQ(MendByFlag("", "--cast", "x=nearest"),
            Mend("--cast x=nearest", {AddArgument{"--cast=x=nearest"}}));
  EXPECT_EQ(MendByFlag("to copy: ", "--storage", "it's=copy", " (so)"),
            Mend("to copy: --storage 'it'\\''s=copy' (so)", {AddArgument{"--storage=it's=copy"}}));
}

TEST(Mend, ASlipIsOneLetterThatNothingElseCanMean) {
  for (const char* written : {"gelu", "GELU", "Gel", "Gelus", "Geul", "eGlu"}) {
    EXPECT_TRUE(IsSlip(written, "Gelu")) << written;
  }
  for (const char* written : {"Relu", "Gelx", "Ge", "Geluxy", "leGu", ""}) {
    EXPECT_FALSE(IsSlip(written, "Gelu")) << written;
  }
}

TEST(Mend, CaseMattersLeastToNearness) {
  const std::vector<std::string> names = {"F.npy", "x.npy", "y.npy"};
  EXPECT_EQ(NearestName("X.npy", names), "x.npy");
  EXPECT_EQ(NearestName("X.NPY", names), "x.npy");
  EXPECT_EQ(NearestName("zz.zzz", names), "");
}

TEST(Mend, LettersThatChangedPlacesAreLikelierThanOneTooMany) {
  const std::vector<std::string> names = {"Tan", "Tanh"};
  EXPECT_EQ(NearestName("Tahn", names), "Tanh");
  EXPECT_EQ(NearestName("Tann", names), "Tanh");
  EXPECT_EQ(NearestName("tn", names), "Tan");
}

TEST(Mend, NoNearNameGivesNoMend) {
  EXPECT_EQ(DidYouMean("Gelu"), "did you mean 'Gelu'?");
  EXPECT_TRUE(Mend(DidYouMean("")).empty());
}

}  // namespace
}  // namespace tenfold
