#include "common/gradient_check.h"

#include <algorithm>
#include <cmath>

namespace capstan {
namespace {

bool usable(float value) {
  return std::fabs(value) <= kMaxGradient;
}

}  // namespace

std::size_t first_unusable(std::span<const float> values) {
  constexpr std::size_t kBlock = 256;  // whole blocks are looked at without a branch a value
  for (std::size_t start = 0; start < values.size(); start += kBlock) {
    const auto block = values.subspan(start, std::min(kBlock, values.size() - start));
    int bad = 0;
    for (const float value : block) bad |= usable(value) ? 0 : 1;
    if (bad == 0) continue;
    const auto at = std::find_if_not(block.begin(), block.end(), usable);
    return start + static_cast<std::size_t>(at - block.begin());
  }
  return values.size();
}

}  // namespace capstan
