// Small helpers for text that people and files give us.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace capstan {

// The candidate that `word` was most likely meant to be: the least edit distance (a swap of neighbours counts
// one), the first of equals. Empty when none is near: more than a third of the word's letters, at least two,
// would change.
std::string nearest_word(std::string_view word, std::span<const std::string> candidates);
std::size_t edit_distance(std::string_view a, std::string_view b);

bool is_utf8(std::string_view text);  // no overlong forms, no surrogates
std::string latin1_to_utf8(std::string_view text);

// Between separators; "a,,b" gives three parts, "" one empty part. REQUIRES: separator is not empty.
std::vector<std::string_view> split_text(std::string_view text, std::string_view separator);
std::string_view trim(std::string_view text);  // spaces and tabs
std::string join(std::span<const std::string> words, std::string_view separator);

// The whole text as a number: absent when anything else is in it. "nan" and "inf" are numbers here.
std::optional<double> parse_double(std::string_view text);
std::optional<long long> parse_int(std::string_view text);
std::optional<unsigned long long> parse_uint(std::string_view text);

}  // namespace capstan
