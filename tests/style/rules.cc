#include "tests/style/rules.h"

#include <cctype>
#include <regex>

namespace capstan {
namespace {

constexpr std::size_t kLinesMax = 400;
constexpr std::size_t kColumnsMax = 110;
constexpr std::size_t kFunctionLinesMax = 70;

std::string breach(const SourceFile& file, std::size_t index, const std::string& what) {
  return file.path + ":" + std::to_string(index + 1) + ": " + what;
}

// Characters of UTF-8 text.
std::size_t columns(std::string_view line) {
  std::size_t count = 0;
  for (const char byte : line) count += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
  return count;
}

// Without a comment that follows code; clang-format sets two blanks before it.
std::string_view code_of(std::string_view line) {
  const std::size_t comment = line.find("  // ");
  return comment == std::string_view::npos ? line : line.substr(0, comment);
}

bool script(const SourceFile& file) {
  return file.ends_with(".sh") || file.ends_with(".py");
}

struct Banned {
  const char* pattern;
  const char* instead;
};

// The words are cut in two so that this file does not break its own rule.
const Banned kBanned[] = {
    {"\\b(TO"
     "DO|FIX"
     "ME)\\b",
     "do it, or file an issue"},
    {"\\[=[\\],]", "name what the lambda captures"},
    {"using name"
     "space (?!std::\\w+_literals)",
     "name what is used"},
    {"\\bstd::\\w+_distri"
     "bution\\b",
     "common/rng.h: library distributions differ between machines"},
    {"\\bstd::(mt19"
     "937|default_random_"
     "engine)",
     "common/rng.h"},
    {"\\bass"
     "ert\\(",
     "CAPSTAN_ASSERT (common/assert.h): always on"},
    {"\\bstd::(cout|ce"
     "rr)\\b",
     "spdlog, or what the command was given to write to"},
};

// The wall clock and real waiting belong to the event loop and to what starts processes.
const Banned kSeams = {"\\b(sleep_for|sleep_until|clock_gettime|gettimeofday|\\w+_clock::now)\\b",
                       "the EventLoop's now() and call_after()"};

bool may_read_clock(const SourceFile& file) {
  const std::string_view folder = file.folder();
  return folder == "tests" || folder == "bench" || file.path == "common/adapters/asio_loop.cc" ||
         file.path == "common/adapters/s3_client.cc" || file.path == "cli/job_cluster.cc" ||
         file.path == "cli/doctor.cc" || file.path.starts_with("cli/launch/") ||
         file.path == "cli/folder_lock.cc";
}

struct Library {
  const char* pattern;
  std::vector<std::string_view> homes;  // path prefixes
};

const std::vector<Library>& libraries() {
  static const std::vector<Library> kLibraries = {
      {"<zmq", {"common/adapters/", "tests/", "bench/"}},
      {"<(curl|openssl)/|<pugixml", {"common/adapters/", "tests/"}},
      {"<prometheus/", {"common/adapters/", "tests/"}},
      {"<(capnp|kj)/", {"common/wire/", "tests/"}},
      {"<yaml-cpp/", {"common/config/", "tests/"}},
      {"<boost/asio", {"common/adapters/", "tests/"}},
      {"<(oneapi|dnnl)", {"worker/nn/", "tests/"}},
      {"<(onnx|google/protobuf)/", {"worker/onnx/", "tests/"}},
      {"<Eigen/", {"worker/", "tests/"}},
      {"<(tbb|oneapi/tbb)/", {"common/parallel.cc", "common/adapters/", "tests/"}},
      {"<CLI/", {"cli/", "sim/hunt_options.cc", "sim/main.cc", "tests/"}},
  };
  return kLibraries;
}

// Appends, because GCC 12 takes the sum of a literal and such a string for an overflow.
std::string quoted(const std::string& text) {
  std::string result(1, '`');
  result += text;
  result += '`';
  return result;
}

}  // namespace

Breaches check_lengths(const SourceFile& file) {
  Breaches breaches;
  if (file.folder() == "cmake" || (!file.code() && !script(file) && !file.ends_with(".capnp")))
    return breaches;
  if (file.lines.size() > kLinesMax) {
    breaches.push_back(breach(file, kLinesMax, std::to_string(file.lines.size()) + " lines; at most 400"));
  }
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    const std::size_t width = columns(line);
    if (width > kColumnsMax)
      breaches.push_back(breach(file, i, std::to_string(width) + " columns; at most 110"));
    if (line.find('\t') != std::string::npos) breaches.push_back(breach(file, i, "a tab"));
    if (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) {
      breaches.push_back(breach(file, i, "blanks at the end"));
    }
  }
  return breaches;
}

Breaches check_function_lengths(const SourceFile& file) {
  Breaches breaches;
  if (!file.code()) return breaches;
  static const std::regex kNoFunction(
      "^(namespace|class|struct|enum|union|extern|template<>|#|//|\\}|\\)).*");
  bool inside = false;
  std::size_t start = 0, length = 0;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    if (inside) {
      if (line.starts_with("}")) {
        if (length > kFunctionLinesMax) {
          breaches.push_back(
              breach(file, start, "a function of " + std::to_string(length) + " lines; at most 70"));
        }
        inside = false;
      } else {
        length += !line.starts_with("    case ");
      }
      continue;
    }
    if (line.empty() || line.front() == ' ' || std::regex_match(line, kNoFunction)) continue;
    std::size_t open = i;  // the signature may go over several lines
    const auto ends_with = [&](char last) { return code_of(file.lines[open]).ends_with(last); };
    while (open + 1 < file.lines.size() && !ends_with('{') && !ends_with(';') && !ends_with('}')) ++open;
    if (!ends_with('{')) continue;
    inside = true;
    start = open;
    length = 1;  // the closing brace
    i = open;
  }
  return breaches;
}

Breaches check_banned_words(const SourceFile& file) {
  Breaches breaches;
  static const std::vector<std::regex> kPatterns = [] {
    std::vector<std::regex> patterns;
    for (const Banned& banned : kBanned) patterns.emplace_back(banned.pattern);
    return patterns;
  }();
  static const std::regex kClock(kSeams.pattern);
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    for (std::size_t word = 0; word < kPatterns.size(); ++word) {
      if (word > 0 && (!file.code() || file.path == "cli/main.cc")) continue;
      std::smatch found;
      if (!std::regex_search(file.lines[i], found, kPatterns[word])) continue;
      breaches.push_back(breach(file, i, quoted(found.str()) + ": " + kBanned[word].instead));
    }
    std::smatch found;
    if (file.code() && !may_read_clock(file) && std::regex_search(file.lines[i], found, kClock)) {
      breaches.push_back(breach(file, i, quoted(found.str()) + ": " + kSeams.instead));
    }
  }
  return breaches;
}

Breaches check_header_start(const SourceFile& file) {
  Breaches breaches;
  if (!file.header()) return breaches;
  if (file.lines.empty() || !file.lines[0].starts_with("// ") || columns(file.lines[0]) < 20) {
    breaches.push_back(breach(file, 0, "a header begins with a comment that says what it is for"));
  }
  std::size_t at = 0;
  while (at < file.lines.size() && (file.lines[at].empty() || file.lines[at].starts_with("//"))) ++at;
  if (at == file.lines.size() || file.lines[at] != "#pragma once") {
    breaches.push_back(breach(file, at, "#pragma once follows the first comment"));
  }
  return breaches;
}

Breaches check_file_name(const SourceFile& file) {
  static const std::regex kSnakeCase("([a-z0-9_]+/)*[a-z0-9_]+\\.[a-z]+");
  if (!file.code() || std::regex_match(file.path, kSnakeCase)) return {};
  return {breach(file, 0, "file names are snake_case")};
}

Breaches check_library_headers(const SourceFile& file) {
  Breaches breaches;
  if (!file.code()) return breaches;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    if (!line.starts_with("#include <")) continue;
    for (const Library& library : libraries()) {
      if (!std::regex_search(line, std::regex(library.pattern))) continue;
      bool home = false;
      for (const std::string_view prefix : library.homes) home = home || file.path.starts_with(prefix);
      if (!home) breaches.push_back(breach(file, i, line + " has no place here; it has a home of its own"));
    }
  }
  return breaches;
}

}  // namespace capstan
