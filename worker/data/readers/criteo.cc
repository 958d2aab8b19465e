#include "worker/data/readers/criteo.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>
#include <optional>

#include "common/text.h"

namespace capstan {
namespace {

constexpr int kIntegers = 13;
constexpr int kCategories = 26;

class Criteo final : public LineFormat {
 public:
  Result<std::vector<std::string>> begin(std::string_view&) override {
    std::vector<std::string> names = {"label"};
    for (int i = 1; i <= kIntegers; ++i) names.push_back(fmt::format("I{}", i));
    for (int i = 1; i <= kCategories; ++i) names.push_back(fmt::format("C{}", i));
    return names;
  }

  LineProblem parse(std::string_view line, Cells& cells) const override {
    for (const auto part : split_text(line, "\t")) cells.add(part);
    constexpr std::size_t kColumns = 1 + kIntegers + kCategories;
    if (cells.size() != kColumns) {
      return {"wrong column count",
              fmt::format("{} columns instead of {} (label, I1-I13, C1-C26)", cells.size(), kColumns)};
    }
    for (std::size_t i = 1; i <= kIntegers; ++i) {
      const std::optional<double> number = cells[i].empty() ? 0.0 : parse_double(cells[i]);
      if (!number || !std::isfinite(*number)) {
        return {"not a number", fmt::format("I{} is '{}', not a number", i, cells[i])};
      }
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<LineFormat> make_criteo() {
  return std::make_unique<Criteo>();
}

}  // namespace capstan
