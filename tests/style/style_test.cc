// The repository keeps its own rules; and every rule finds its breach in a planted text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/paths.h"
#include "tests/style/rules.h"

namespace capstan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const SourceTree& repository() {
  static const SourceTree kTree = read_source_tree(source_dir().string());
  return kTree;
}

std::string joined(const Breaches& breaches) {
  std::string text;
  for (const std::string& breach : breaches) text += breach + "\n";
  return text;
}

void expect_kept(Breaches (*rule)(const SourceFile&)) {
  for (const SourceFile& file : repository()) EXPECT_EQ(joined(rule(file)), "");
}

Breaches in_text(Breaches (*rule)(const SourceFile&), const std::string& path, const std::string& text) {
  return rule(source_file(path, text));
}

std::string repeated(const std::string& line, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += line;
  return text;
}

TEST(Repository, IsReadWhole) {
  std::size_t code = 0;
  for (const SourceFile& file : repository()) code += file.code();
  EXPECT_GT(code, 600U);
  for (const char* path :
       {"README.md", "common/result.h", "cli/main.cc", "scripts/test.sh", "tests/style/rules.cc"}) {
    EXPECT_NE(find_file(repository(), path), nullptr) << path;
  }
}

TEST(Repository, Lengths) {
  expect_kept(check_lengths);
}
TEST(Repository, FunctionLengths) {
  expect_kept(check_function_lengths);
}
TEST(Repository, BannedWords) {
  expect_kept(check_banned_words);
}
TEST(Repository, HeaderStart) {
  expect_kept(check_header_start);
}
TEST(Repository, FileNames) {
  expect_kept(check_file_name);
}
TEST(Repository, LibraryHeaders) {
  expect_kept(check_library_headers);
}
TEST(Repository, Floors) {
  EXPECT_EQ(joined(check_floors(repository())), "");
}
TEST(Repository, IncludesExist) {
  EXPECT_EQ(joined(check_includes_exist(repository())), "");
}
TEST(Repository, IncludeCycles) {
  EXPECT_EQ(joined(check_include_cycles(repository())), "");
}
TEST(Repository, DeadHeaders) {
  EXPECT_EQ(joined(check_dead_headers(repository())), "");
}

TEST(Rule, Lengths) {
  EXPECT_THAT(in_text(check_lengths, "ps/a.cc", repeated("x;\n", 400)), IsEmpty());
  EXPECT_THAT(in_text(check_lengths, "ps/a.cc", repeated("x;\n", 401)),
              ElementsAre(HasSubstr("ps/a.cc:401: 401 lines")));
  EXPECT_THAT(in_text(check_lengths, "ps/a.h", "\n" + std::string(110, 'x')), IsEmpty());
  EXPECT_THAT(in_text(check_lengths, "ps/a.h", "\n" + std::string(111, 'x')),
              ElementsAre(HasSubstr("ps/a.h:2: 111 columns")));
  EXPECT_THAT(in_text(check_lengths, "ps/a.h", repeated("ä", 110)), IsEmpty());  // 220 bytes
  EXPECT_THAT(in_text(check_lengths, "scripts/a.sh", "\tx"), ElementsAre(HasSubstr("a tab")));
  EXPECT_THAT(in_text(check_lengths, "ps/a.cc", "x; \n"), ElementsAre(HasSubstr("blanks at the end")));
  EXPECT_THAT(in_text(check_lengths, "docs/a.md", std::string(500, 'x')), IsEmpty());
}

TEST(Rule, FunctionLengths) {
  const auto function = [](int lines) {
    return "namespace capstan {\n\nint f(int a,\n      int b) {\n" + repeated("  a += b;\n", lines) +
           "}\n\n}\n";
  };
  EXPECT_THAT(in_text(check_function_lengths, "ps/a.cc", function(69)), IsEmpty());
  EXPECT_THAT(in_text(check_function_lengths, "ps/a.cc", function(70)),
              ElementsAre(HasSubstr("ps/a.cc:4: ")));
  EXPECT_THAT(in_text(check_function_lengths, "ps/a.h", "class A {\n" + repeated("  int a;\n", 90) + "};\n"),
              IsEmpty());
  EXPECT_THAT(
      in_text(check_function_lengths, "ps/a.h",
              "constexpr int kA = 1;  // of one\n\nclass A {\n" + repeated("  int a;\n", 90) + "};\n"),
      IsEmpty());
  EXPECT_THAT(in_text(check_function_lengths, "ps/a.cc",
                      "int f(int a) {  // \"twice\"\n" + repeated("  a += 1;\n", 70) + "}\n"),
              ElementsAre(HasSubstr("ps/a.cc:1: ")));
  EXPECT_THAT(in_text(check_function_lengths, "ps/a.cc", "int f();\nint g() { return 1; }\n" + function(70)),
              ElementsAre(HasSubstr("ps/a.cc:6: ")));
}

TEST(Rule, LabelsOfASwitchAreNotCounted) {
  const std::string text =
      "int f(int a) {\n  switch (a) {\n" + repeated("    case 1:\n      return 2;\n", 60) + "  }\n}\n";
  EXPECT_THAT(in_text(check_function_lengths, "ps/a.cc", text), IsEmpty());
}

TEST(Rule, BannedWords) {
  const auto found = [](const std::string& text, const std::string& path = "ps/a.cc") {
    return in_text(check_banned_words, path, text).size();
  };
  const std::string later = std::string("TO") + "DO";
  EXPECT_EQ(found("x;\n// " + later + ": more"), 1U);
  EXPECT_EQ(found("# " + later, "scripts/a.sh"), 1U);
  EXPECT_EQ(found(std::string("// FIX") + "ME"), 1U);
  EXPECT_EQ(found("int " + later + "S = 1;"), 0U);
  EXPECT_EQ(found(std::string("call([") + "=] { f(); });"), 1U);
  EXPECT_EQ(found(std::string("call([") + "=, &x] { f(); });"), 1U);
  EXPECT_EQ(found(std::string("using name") + "space std;"), 1U);
  EXPECT_EQ(found("using namespace std::chrono_literals;"), 0U);
  EXPECT_EQ(found(std::string("std::normal_distri") + "bution<float> draw;"), 1U);
  EXPECT_EQ(found(std::string("std::mt19") + "937 engine;"), 1U);
  EXPECT_EQ(found(std::string("ass") + "ert(x);"), 1U);
  EXPECT_EQ(found("static_assert(x);"), 0U);
  EXPECT_EQ(found("std::this_thread::sleep_for(kPoll);"), 1U);
  EXPECT_EQ(found("std::this_thread::sleep_for(kPoll);", "tests/a.cc"), 0U);
  EXPECT_EQ(found("auto now = std::chrono::steady_clock::now();"), 1U);
}

TEST(Rule, HeaderStart) {
  const std::string good = "// A: what this file is for.\n// More.\n#pragma once\n";
  EXPECT_THAT(in_text(check_header_start, "ps/a.h", good), IsEmpty());
  EXPECT_THAT(in_text(check_header_start, "ps/a.h", "#pragma once\n// A: what this file is for.\n"),
              ElementsAre(HasSubstr("begins with a comment")));
  EXPECT_THAT(in_text(check_header_start, "ps/a.h", "// A.\n#pragma once\n"),
              ElementsAre(HasSubstr("begins with")));
  EXPECT_THAT(in_text(check_header_start, "ps/a.h", "// A: what this file is for.\nint x;\n#pragma once\n"),
              ElementsAre(HasSubstr("ps/a.h:2: #pragma once")));
  EXPECT_EQ(in_text(check_header_start, "ps/a.h", "").size(), 2U);
  EXPECT_THAT(in_text(check_header_start, "ps/a.cc", "int x;\n"), IsEmpty());
}

TEST(Rule, FileNames) {
  EXPECT_THAT(in_text(check_file_name, "worker/nn/ops_2.cc", ""), IsEmpty());
  EXPECT_EQ(in_text(check_file_name, "worker/nn/MatMul.cc", "").size(), 1U);
  EXPECT_EQ(in_text(check_file_name, "worker/nn/mat-mul.h", "").size(), 1U);
}

TEST(Rule, LibraryHeaders) {
  EXPECT_EQ(in_text(check_library_headers, "ps/a.cc", "#include <vector>\n#include <zmq.h>\n").size(), 1U);
  EXPECT_EQ(in_text(check_library_headers, "common/adapters/a.cc", "#include <zmq.h>\n").size(), 0U);
  EXPECT_EQ(in_text(check_library_headers, "scheduler/a.cc", "#include <capnp/message.h>\n").size(), 1U);
  EXPECT_EQ(in_text(check_library_headers, "ps/a.cc", "#include <boost/asio.hpp>\n").size(), 1U);
  EXPECT_EQ(in_text(check_library_headers, "ps/a.cc", "#include <boost/json.hpp>\n").size(), 0U);
}

// One file in each folder; `path` also includes `target`.
SourceTree tree_with(const std::string& path, const std::string& target) {
  SourceTree tree;
  for (const char* other :
       {"bench/z.h", "cli/z.h", "common/z.h", "ps/z.h", "scheduler/z.h", "sim/z.h", "worker/z.h"}) {
    tree.push_back(source_file(other, ""));
  }
  tree.push_back(source_file(path, "\n#include \"" + target + "\"\n"));
  return tree;
}

TEST(Rule, Floors) {
  const auto breaks = [](const std::string& from, const std::string& to) {
    return check_floors(tree_with(from + "/a.cc", to + "/z.h")).size() == 1;
  };
  // Rows include columns.
  const std::vector<std::string> folders = {"common", "ps", "worker", "scheduler", "cli", "sim"};
  const std::vector<std::string> allowed = {"100000", "110000", "101000", "100100", "111110", "111101"};
  for (std::size_t from = 0; from < folders.size(); ++from) {
    for (std::size_t to = 0; to < folders.size(); ++to) {
      EXPECT_EQ(breaks(folders[from], folders[to]), allowed[from][to] == '0')
          << folders[from] << " " << folders[to];
    }
  }
  EXPECT_FALSE(breaks("tests", "sim"));
  EXPECT_TRUE(breaks("common", "tests"));
  EXPECT_TRUE(breaks("newfolder", "common"));
}

TEST(Rule, IncludesExist) {
  EXPECT_THAT(check_includes_exist(tree_with("ps/zz.cc", "ps/z.h")), IsEmpty());
  EXPECT_THAT(check_includes_exist(tree_with("ps/zz.cc", "z.h")),
              ElementsAre(HasSubstr("ps/zz.cc:2: no file z.h")));
  EXPECT_EQ(check_includes_exist(tree_with("ps/zz.cc", "ps/z.capnp.h")).size(), 1U);
}

TEST(Rule, IncludeCycles) {
  const SourceTree chain = {source_file("ps/a.h", "#include \"ps/b.h\"\n#include \"ps/c.h\"\n"),
                            source_file("ps/b.h", "#include \"ps/c.h\"\n"), source_file("ps/c.h", "")};
  EXPECT_THAT(check_include_cycles(chain), IsEmpty());
  const SourceTree ring = {source_file("ps/a.h", "#include \"ps/b.h\"\n"),
                           source_file("ps/b.h", "#include \"ps/c.h\"\n"),
                           source_file("ps/c.h", "#include \"ps/b.h\"\n")};
  EXPECT_THAT(check_include_cycles(ring), ElementsAre("include cycle: ps/b.h ps/c.h ps/b.h"));
}

TEST(Rule, DeadHeaders) {
  const SourceTree tree = {source_file("ps/a.cc", "#include \"ps/a.h\"\n#include \"ps/b.h\"\n"),
                           source_file("ps/a.h", ""), source_file("ps/b.h", "")};
  EXPECT_THAT(check_dead_headers(tree), ElementsAre(HasSubstr("ps/a.h:1:")));
}

}  // namespace
}  // namespace capstan
