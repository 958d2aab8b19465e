// The rules of style that a program can check. Each gives a line of text for every breach it finds.
#pragma once

#include <string>
#include <vector>

#include "tests/style/source_tree.h"

namespace capstan {

using Breaches = std::vector<std::string>;  // "path:line: what is wrong"

// Code and scripts (the build's own files below cmake/ are free): at most 400 lines of at most 110
// characters; no tabs, no blanks at a line's end.
Breaches check_lengths(const SourceFile& file);
// No function body over 70 lines, labels of a switch not counted (functions that begin in the first column,
// as clang-format leaves them).
Breaches check_function_lengths(const SourceFile& file);
// Words and names with a better replacement.
Breaches check_banned_words(const SourceFile& file);
// A header begins with a comment that says what it is for; then comes #pragma once, before anything else.
Breaches check_header_start(const SourceFile& file);
// snake_case file names.
Breaches check_file_name(const SourceFile& file);
// A library's headers are included only where its adapter lives.
Breaches check_library_headers(const SourceFile& file);

// common <- {ps, worker, scheduler} <- cli; roles never include each other; sim is for tests alone.
Breaches check_floors(const SourceTree& tree);
// Every quoted include names a file from the repository's root (or a generated one).
Breaches check_includes_exist(const SourceTree& tree);
Breaches check_include_cycles(const SourceTree& tree);
// A header that nothing includes is dead.
Breaches check_dead_headers(const SourceTree& tree);

}  // namespace capstan
