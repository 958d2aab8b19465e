#include "common/config/read_context.h"

#include <algorithm>

namespace capstan {
namespace {

// "data.split.test" lies in "data" and in "data.split"; "features[0].name" in "features".
bool lies_in(const std::string& path, const std::string& outer) {
  if (outer.empty() || path == outer) return true;
  return path.starts_with(outer) && (path[outer.size()] == '.' || path[outer.size()] == '[');
}

std::string parent_of(const std::string& path) {
  const auto cut = path.find_last_of(".[");
  return cut == std::string::npos ? "" : path.substr(0, cut);
}

}  // namespace

void ReadContext::fail(const std::string& path, const Place& place, std::string message) {
  failed_.insert(path);
  errors_.push_back({place, std::move(message)});
}

void ReadContext::fail_at(const std::string& path, std::string message) {
  std::string at = path;
  while (!at.empty() && !places_.contains(at)) at = parent_of(at);
  const auto found = places_.find(at);
  fail(path, found == places_.end() ? Place{} : found->second, std::move(message));
}

bool ReadContext::failed(const std::string& path) const {
  return std::any_of(failed_.begin(), failed_.end(), [&](const std::string& bad) {
    return (!bad.empty() && lies_in(path, bad)) || lies_in(bad, path);
  });
}

}  // namespace capstan
