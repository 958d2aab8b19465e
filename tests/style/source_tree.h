// SourceTree: the text of the repository's own files, as the style rules read it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace capstan {

struct SourceFile {
  std::string path;  // from the repository's root, with '/'
  std::vector<std::string> lines;

  std::string_view folder() const { return std::string_view(path).substr(0, path.find('/')); }
  bool ends_with(std::string_view suffix) const { return std::string_view(path).ends_with(suffix); }
  bool header() const { return ends_with(".h"); }
  bool code() const { return header() || ends_with(".cc"); }
};

SourceFile source_file(std::string path, std::string_view text);

using SourceTree = std::vector<SourceFile>;  // by path

// Every text file below the root that is ours: nothing of build/, run folders, data or hidden folders.
SourceTree read_source_tree(const std::string& root);

// The file with this path; null when there is none.
const SourceFile* find_file(const SourceTree& tree, std::string_view path);

struct Include {
  std::string path;
  int line = 0;  // from 1
};

// What the file includes with quotes.
std::vector<Include> own_includes(const SourceFile& file);

}  // namespace capstan
