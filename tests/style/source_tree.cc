#include "tests/style/source_tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace capstan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolders[] = {"bench",   "cli",       "cmake", "common", "configs",
                                         "docs",    "packaging", "ps",    "python", "scheduler",
                                         "scripts", "sim",       "tests", "worker"};
constexpr std::string_view kEndings[] = {".cc", ".h",  ".capnp", ".cmake", ".md",
                                         ".py", ".sh", ".txt",   ".yaml"};

bool ours(const fs::path& path) {
  return std::find(std::begin(kEndings), std::end(kEndings), path.extension().string()) != std::end(kEndings);
}

}  // namespace

SourceFile source_file(std::string path, std::string_view text) {
  SourceFile file{std::move(path), {}};
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) file.lines.push_back(line);
  return file;
}

SourceTree read_source_tree(const std::string& root) {
  SourceTree tree;
  const auto take = [&](const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    tree.push_back(source_file(fs::relative(path, root).generic_string(), text.str()));
  };
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.is_regular_file() && ours(entry.path())) take(entry.path());
  }
  for (const std::string_view folder : kFolders) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(root) / folder)) {
      if (entry.is_regular_file() && ours(entry.path())) take(entry.path());
    }
  }
  std::sort(tree.begin(), tree.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return tree;
}

const SourceFile* find_file(const SourceTree& tree, std::string_view path) {
  const auto at =
      std::lower_bound(tree.begin(), tree.end(), path,
                       [](const SourceFile& file, std::string_view name) { return file.path < name; });
  return at != tree.end() && at->path == path ? &*at : nullptr;
}

std::vector<Include> own_includes(const SourceFile& file) {
  constexpr std::string_view kStart = "#include \"";
  std::vector<Include> includes;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string_view line = file.lines[i];
    if (!line.starts_with(kStart)) continue;
    const std::string_view rest = line.substr(kStart.size());
    includes.push_back({std::string(rest.substr(0, rest.find('"'))), static_cast<int>(i) + 1});
  }
  return includes;
}

}  // namespace capstan
