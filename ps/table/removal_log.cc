#include "ps/table/removal_log.h"

#include <algorithm>

#include "common/assert.h"

namespace capstan {
namespace {

constexpr std::size_t kFew = 256;       // are kept whatever the table's size
constexpr std::size_t kRowsPerKey = 4;  // more: then a snapshot of everything is not much longer

}  // namespace

void RemovalLog::keep_from(std::uint64_t position) {
  CAPSTAN_ASSERT(position <= this->position(), "what is removed later is not known yet");
  keeps_ = true;
  if (position <= first_) return;
  keys_.erase(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(position - first_));
  first_ = position;
}

void RemovalLog::stop() {
  keeps_ = false;
  first_ = position();
  keys_ = std::vector<Key>();
}

void RemovalLog::add(Key key, std::size_t rows) {
  if (!keeps_) {
    ++first_;
    return;
  }
  keys_.push_back(key);
  if (keys_.size() <= std::max(kFew, rows / kRowsPerKey)) return;
  first_ = position();
  keys_ = std::vector<Key>();
}

std::optional<std::span<const Key>> RemovalLog::since(std::uint64_t position) const {
  if (position < first_) return std::nullopt;
  return std::span<const Key>(keys_).subspan(position - first_);
}

}  // namespace capstan
