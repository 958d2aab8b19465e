// The rules that look at more than one file at a time.
#include <map>
#include <set>

#include "tests/style/rules.h"

namespace capstan {
namespace {

// What a folder's files may include besides their own folder's.
const std::map<std::string_view, std::set<std::string_view>>& floors() {
  static const std::map<std::string_view, std::set<std::string_view>> kFloors = {
      {"common", {}},
      {"ps", {"common"}},
      {"worker", {"common"}},
      {"scheduler", {"common"}},
      {"cli", {"common", "ps", "worker", "scheduler"}},
      {"python", {"common", "ps", "worker", "scheduler", "cli"}},
      {"sim", {"common", "ps", "worker", "scheduler"}},
      {"bench", {"common", "ps", "worker", "scheduler", "sim"}},
      {"tests", {"common", "ps", "worker", "scheduler", "cli", "sim"}},
      {"cmake", {}},
  };
  return kFloors;
}

std::string_view folder_of(std::string_view path) {
  return path.substr(0, path.find('/'));
}

std::string place(const SourceFile& file, const Include& include) {
  return file.path + ":" + std::to_string(include.line) + ": ";
}

// Depth first over the includes; `state` is 1 while a file is on the path that led here and 2 once it is
// done.
class CycleSearch {
 public:
  explicit CycleSearch(const SourceTree& tree) : tree_(tree) {}

  Breaches run() {
    for (const SourceFile& file : tree_) visit(file);
    return std::move(breaches_);
  }

 private:
  void visit(const SourceFile& file) {
    int& state = state_[file.path];
    if (state == 2) return;
    path_.push_back(file.path);
    if (state == 1) {
      std::string cycle = "include cycle:";
      auto at = path_.begin();
      while (*at != file.path) ++at;
      for (; at != path_.end(); ++at) cycle += " " + *at;
      breaches_.push_back(cycle);
    } else {
      state = 1;
      for (const Include& include : own_includes(file)) {
        if (const SourceFile* next = find_file(tree_, include.path)) visit(*next);
      }
      state_[file.path] = 2;
    }
    path_.pop_back();
  }

  const SourceTree& tree_;
  std::map<std::string, int> state_;
  std::vector<std::string> path_;
  Breaches breaches_;
};

}  // namespace

Breaches check_floors(const SourceTree& tree) {
  Breaches breaches;
  for (const SourceFile& file : tree) {
    if (!file.code()) continue;
    const auto floor = floors().find(file.folder());
    if (floor == floors().end()) {
      breaches.push_back(file.path + ":1: the style test knows no floor for this folder");
      continue;
    }
    for (const Include& include : own_includes(file)) {
      const std::string_view target = folder_of(include.path);
      if (target == file.folder() || floor->second.contains(target)) continue;
      breaches.push_back(place(file, include) + file.path + " may not include " + include.path);
    }
  }
  return breaches;
}

Breaches check_includes_exist(const SourceTree& tree) {
  Breaches breaches;
  for (const SourceFile& file : tree) {
    if (!file.code()) continue;
    for (const Include& include : own_includes(file)) {
      const bool generated = include.path.ends_with(".capnp.h");
      const std::string source = generated ? include.path.substr(0, include.path.size() - 2) : include.path;
      if (find_file(tree, source) == nullptr) {
        breaches.push_back(place(file, include) + "no file " + source + " below the repository's root");
      }
    }
  }
  return breaches;
}

Breaches check_include_cycles(const SourceTree& tree) {
  return CycleSearch(tree).run();
}

Breaches check_dead_headers(const SourceTree& tree) {
  std::set<std::string> included = {"cmake/pch.h"};  // by the build
  for (const SourceFile& file : tree) {
    if (!file.code()) continue;
    const std::string own = file.path.substr(0, file.path.rfind('.')) + ".h";
    for (const Include& include : own_includes(file)) {
      if (include.path != own) included.insert(include.path);
    }
  }
  Breaches breaches;
  for (const SourceFile& file : tree) {
    if (file.header() && !included.contains(file.path)) {
      breaches.push_back(file.path + ":1: nothing but its own .cc includes this header");
    }
  }
  return breaches;
}

}  // namespace capstan
