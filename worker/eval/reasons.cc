#include "worker/eval/reasons.h"

#include <fmt/format.h>

#include <algorithm>

namespace capstan {

std::vector<Contribution> top_contributions(std::vector<Contribution> all, std::size_t most) {
  std::erase_if(all, [](const Contribution& one) { return !(one.value > 0.0); });
  std::sort(all.begin(), all.end(), [](const Contribution& a, const Contribution& b) {
    return a.value != b.value ? a.value > b.value : a.item < b.item;
  });
  if (all.size() > most) all.resize(most);
  return all;
}

std::string reason_line(std::span<const Contribution> reasons, std::span<const std::string> titles,
                        std::uint64_t train_users) {
  if (reasons.empty()) {
    return fmt::format("not for one title of the history; {} user{} it", train_users,
                       train_users == 1 ? " has" : "s have");
  }
  std::string line = "because of ";
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (i > 0) line += i + 1 == reasons.size() ? " and " : ", ";
    line += fmt::format("{} (+{:.2f})", titles[reasons[i].item], reasons[i].value);
  }
  return line;
}

}  // namespace capstan
